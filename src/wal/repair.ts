/** Cutting off what a power loss left of a record at the end of the log. */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { RecordType } from "./record.ts";
import { scanRecords } from "./record-scanner.ts";
import { segmentsOf } from "./segment-name.ts";
import { WalError } from "./wal-error.ts";

export interface RepairReport {
  /** The last segment, and the whole of it as it was. */
  readonly segment: string;
  readonly brokenCopy: string;
  readonly keptBytes: number;
  /** Zeros laid out in advance among them. */
  readonly droppedBytes: number;
  readonly why: string;
}

const COPY_BYTES = 1024 * 1024;

/**
 * Cuts the last segment where its last good record ends, if it ends within a record, and keeps a copy of it as it was,
 * `….wal.broken`. A power loss on the way leaves the log as it was, or repaired.
 *
 * Everything after the fault is dropped, even if it looks like records: which is what a log is that ends there.
 *
 * @returns what was done; undefined if the log does not end within a record
 * @throws WalError if the last segment cannot be read for any other reason: nothing is changed then
 */
export function repairWal(directory: Directory): RepairReport | undefined {
  const last = segmentsOf(directory.list()).at(-1);
  if (last === undefined) return undefined;
  let hasMetadata = false;
  const end = scanRecords(directory, [last], ({ record }) => {
    if (record.type === RecordType.metadata) hasMetadata = true;
  });
  if (end.torn === undefined) return undefined;
  if (!hasMetadata) {
    // A segment gets its name when its head is on the disk: no power loss does this, and no log could go on from here.
    const path = `${directory.path}/${last.name}`;
    throw new WalError("bad-record", path, end.offsetBytes, `in a segment's head, ${end.torn}`);
  }

  const brokenCopy = `${last.name}.broken`;
  const segment = directory.openFile(last.name, "write");
  try {
    const copy = directory.openFile(brokenCopy, "create");
    try {
      copyAll(segment, copy);
      copy.sync();
    } finally {
      copy.close();
    }
    directory.sync();
    segment.truncate(end.offsetBytes);
    segment.sync();
  } finally {
    segment.close();
  }
  return {
    segment: last.name,
    brokenCopy,
    keptBytes: end.offsetBytes,
    droppedBytes: end.sizeBytes - end.offsetBytes,
    why: end.torn,
  };
}

function copyAll(from: RandomAccessFile, to: RandomAccessFile): void {
  to.truncate(0);
  const piece = new Uint8Array(COPY_BYTES);
  for (let at = 0; ; at += piece.length) {
    const got = from.readSome(at, piece);
    if (got === 0) return;
    to.write(at, piece.subarray(0, got));
  }
}
