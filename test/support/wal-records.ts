/** Logs in tests: files read whole, records as values, and the same records written again. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Directory, SystemDirectory } from "../../native-free/file.ts";
import { decodeEntry, type Entry } from "../../src/wal/entry.ts";
import { decodeHardState, type HardState } from "../../src/wal/hard-state.ts";
import { RecordType } from "../../src/wal/record.ts";
import { type ScanEnd, scanRecords } from "../../src/wal/record-scanner.ts";
import { segmentName, segmentsOf } from "../../src/wal/segment-name.ts";
import { decodeSnapshotRecord, type WalSnapshot } from "../../src/wal/snapshot-record.ts";
import type { Wal } from "../../src/wal/wal.ts";
import { scratchFolder } from "./cleanup.ts";
import { goldenPath } from "./golden.ts";

export type LogRecord =
  | { readonly kind: "crc" }
  | { readonly kind: "metadata"; readonly metadata: Uint8Array }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "state"; readonly state: HardState }
  | { readonly kind: "snapshot"; readonly snapshot: WalSnapshot };

/** The golden log `name`, a file or a folder, in a directory of its own under the names that it has in a data dir. */
export function goldenLog(name: string): SystemDirectory {
  const folder = join(scratchFolder("wal"), "wal");
  mkdirSync(folder);
  if (name.endsWith(".wal")) copyFileSync(goldenPath(name), join(folder, segmentName(0, 0)));
  else {
    for (const file of readdirSync(goldenPath(name))) {
      copyFileSync(join(goldenPath(name), file), join(folder, basename(file)));
    }
  }
  return new SystemDirectory(folder);
}

/** Every record from the first segment on, and how the log ends. */
export function readRecords(directory: Directory): { records: LogRecord[]; end: ScanEnd } {
  const records: LogRecord[] = [];
  const end = scanRecords(directory, segmentsOf(directory.list()), (scanner) => {
    const { record, keptBytes: bytes } = scanner;
    const { dataStart, dataEnd } = record;
    switch (record.type) {
      case RecordType.crc:
        records.push({ kind: "crc" });
        break;
      case RecordType.metadata:
        records.push({ kind: "metadata", metadata: bytes.slice(dataStart, dataEnd) });
        break;
      case RecordType.entry:
        records.push({ kind: "entry", entry: decoded(decodeEntry(bytes, dataStart, dataEnd)) });
        break;
      case RecordType.state:
        records.push({ kind: "state", state: decoded(decodeHardState(bytes, dataStart, dataEnd)) });
        break;
      case RecordType.snapshot: {
        const snapshot = decoded(decodeSnapshotRecord(bytes, dataStart, dataEnd));
        records.push({ kind: "snapshot", snapshot });
        break;
      }
    }
  });
  return { records, end };
}

/**
 * Appends what etcd appended, save by save: entries up to the state behind them, or up to a snapshot. The heads of
 * later segments are left out: they are the writer's own.
 *
 * @param records  without the head of the first segment and its snapshot record.
 */
export async function replay(wal: Wal, records: readonly LogRecord[]): Promise<void> {
  let entries: Entry[] = [];
  let inHead = false;
  for (const record of records) {
    if (record.kind === "entry") {
      entries.push(record.entry);
    } else if (record.kind === "state" && !inHead) {
      await wal.append(entries, record.state);
      await wal.sync();
      entries = [];
    } else if (record.kind === "snapshot") {
      if (entries.length > 0) await wal.append(entries);
      entries = [];
      await wal.saveSnapshot(record.snapshot);
    }
    inHead = record.kind === "crc" || record.kind === "metadata";
  }
  if (entries.length > 0) await wal.append(entries);
}

export function contentOf(directory: Directory, name: string): Buffer {
  return readFileSync(join(directory.path, name));
}

/** A codec's result where the bytes are known to be good. @throws Error with what is wrong, if they are not */
export function decoded<T extends object>(value: T | string): T {
  if (typeof value === "string") throw new Error(value);
  return value;
}
