/**
 * Reading a log from a snapshot on: what etcd calls ReadAll, and ValidSnapshotEntries.
 *
 * @see etcd server/storage/wal/wal.go
 */
import type { Directory } from "../../native-free/file.ts";
import { equalBytes } from "../base/bytes.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { decodeHardState, EMPTY_HARD_STATE, type HardState } from "./hard-state.ts";
import { RecordType } from "./record.ts";
import { type RecordScanner, type ScanEnd, scanRecords } from "./record-scanner.ts";
import { type SegmentName, segmentsOf } from "./segment-name.ts";
import { decodeSnapshotRecord, type WalSnapshot } from "./snapshot-record.ts";
import { WalError } from "./wal-error.ts";

export interface LogContents {
  /** The same bytes in every segment; undefined in a log that has none. */
  readonly metadata: Uint8Array | undefined;
  /** The last one; all zero if there is none. */
  readonly hardState: HardState;
  /**
   * Those after the snapshot: the first has its index + 1, and none is missing. Their data are views of the megabytes
   * that were read: who keeps one of many entries for long should copy it.
   */
  readonly entries: readonly Entry[];
  readonly end: ScanEnd;
}

/**
 * `read` takes a log that ends within a record as ending before it, and wants the snapshot's record to be there;
 * `write` refuses the former and does without the latter, as etcd's server does.
 */
export type ReadMode = "read" | "write";

/**
 * Everything from a snapshot on.
 *
 * @param from  where the state machine is: index and term of a snapshot, both 0 for the whole log.
 * @throws WalError see there; `torn` only in mode `write`, `snapshot-not-found` only in mode `read`
 */
export function readLog(
  directory: Directory,
  from: Pick<WalSnapshot, "index" | "term">,
  mode: ReadMode,
): LogContents {
  let metadata: Uint8Array | undefined;
  let hardState = EMPTY_HARD_STATE;
  const entries: Entry[] = [];
  let found = false;

  const end = scanRecords(directory, segmentsFrom(directory, from.index), (scanner) => {
    const { record, bytes } = scanner;
    const { dataStart, dataEnd } = record;
    switch (record.type) {
      case RecordType.metadata: {
        const here = bytes.slice(dataStart, dataEnd);
        if (metadata !== undefined && !equalBytes(metadata, here)) {
          scanner.fail("conflicting-metadata", "conflicting metadata found");
        }
        metadata = here;
        break;
      }
      case RecordType.entry: {
        const entry = needsData(scanner, decodeEntry(scanner.keptBytes, dataStart, dataEnd));
        if (entry.index <= from.index) break;
        const at = entry.index - from.index - 1;
        if (at > entries.length) {
          const next = from.index + entries.length + 1;
          scanner.fail("index-gap", `entry ${entry.index} where ${next} is to come at most`);
        }
        // It replaces the entry of that index and all after it.
        if (at < entries.length) entries.length = at;
        entries.push(entry);
        break;
      }
      case RecordType.state:
        hardState = stateAfter(hardState, scanner);
        break;
      case RecordType.snapshot: {
        const snapshot = needsData(scanner, decodeSnapshotRecord(bytes, dataStart, dataEnd));
        if (snapshot.index !== from.index) break;
        if (snapshot.term !== from.term) {
          const what = `snapshot ${from.index} is of term ${snapshot.term}, not ${from.term}`;
          scanner.fail("snapshot-mismatch", what);
        }
        found = true;
        break;
      }
    }
  });

  const { path } = directory;
  if (mode === "write" && end.torn !== undefined) {
    throw new WalError("torn", `${path}/${end.segment.name}`, end.offsetBytes, end.torn);
  }
  if (mode === "read" && !found) {
    const what = `there is no snapshot record of index ${from.index}`;
    throw new WalError("snapshot-not-found", path, 0, what);
  }
  return { metadata, hardState, entries, end };
}

/**
 * The snapshots that a state machine may begin with: their records lie in the log, and so do the entries up to them.
 * In the order of the log; reads all of it.
 *
 * @throws WalError as `readLog` in mode `read`
 */
export function validSnapshots(directory: Directory): WalSnapshot[] {
  const snapshots: WalSnapshot[] = [];
  let hardState = EMPTY_HARD_STATE;
  const segments = segmentsOf(directory.list());
  mustBeContinuous(directory, segments);
  scanRecords(directory, segments, (scanner) => {
    const { record, bytes } = scanner;
    if (record.type === RecordType.snapshot) {
      const { dataStart, dataEnd } = record;
      snapshots.push(needsData(scanner, decodeSnapshotRecord(bytes, dataStart, dataEnd)));
    } else if (record.type === RecordType.state) {
      hardState = stateAfter(hardState, scanner);
    }
  });
  return snapshots.filter(({ index }) => index <= hardState.commit);
}

/** The segments that have everything after `index`: from the last one whose name does not promise more. */
function segmentsFrom(directory: Directory, index: number): SegmentName[] {
  const all = segmentsOf(directory.list());
  const first = all.findLastIndex((segment) => segment.index <= index);
  const segments = first === -1 ? [] : all.slice(first);
  mustBeContinuous(directory, segments);
  return segments;
}

function mustBeContinuous({ path }: Directory, segments: readonly SegmentName[]): void {
  const [first] = segments;
  if (first === undefined) {
    throw new WalError("file-not-found", path, 0, "there is no segment to read from");
  }
  segments.forEach(({ name, sequence }, i) => {
    if (sequence === first.sequence + i) return;
    const what = `file sequence numbers do not increase continuously: ${first.sequence + i} is missing`;
    throw new WalError("sequence-gap", `${path}/${name}`, 0, what);
  });
}

function stateAfter(before: HardState, scanner: RecordScanner): HardState {
  const { dataStart, dataEnd } = scanner.record;
  const state = needsData(scanner, decodeHardState(scanner.bytes, dataStart, dataEnd));
  // Raft's terms never go back; an entry whose record type lost a bit would say so.
  if (state.term < before.term) {
    scanner.fail("bad-record", `a state of term ${state.term} after term ${before.term}`);
  }
  return state;
}

/** What a record of this type says. @throws WalError bad-record if it says nothing, or not that */
function needsData<T extends object>(scanner: RecordScanner, decoded: T | string): T {
  const { record } = scanner;
  if (typeof decoded === "string") scanner.fail("bad-record", decoded);
  if (!record.hasData) scanner.fail("bad-record", `a record of type ${record.type} without data`);
  return decoded;
}
