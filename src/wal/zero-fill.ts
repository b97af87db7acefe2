import { setImmediate as turn } from "node:timers/promises";
import type { Directory } from "../../native-free/file.ts";
import type { PrepareSegment } from "./next-segment.ts";

/** A write of this takes about 0.1 ms. */
const PIECE_BYTES = 256 * 1024;
/** One sync of all of it would hold up the log's own for as long as it takes. */
const SYNC_BYTES = 1024 * 1024;

/**
 * Makes the file on a thread that may wait.
 * @param wrote  called after each step; what it throws ends the work
 */
export function zeroFill(
  directory: Directory,
  name: string,
  sizeBytes: number,
  wrote: (doneBytes: number) => void,
): void {
  const piece = new Uint8Array(Math.min(SYNC_BYTES, sizeBytes));
  const file = directory.openFile(name, "create");
  try {
    file.truncate(0);
    for (let at = 0; at < sizeBytes; at += SYNC_BYTES) {
      file.write(at, piece.subarray(0, Math.min(SYNC_BYTES, sizeBytes - at)));
      file.sync();
      wrote(at + SYNC_BYTES);
    }
  } finally {
    file.close();
  }
}

/**
 * A `PrepareSegment` for whoever has no thread for it: writes a piece, lets the event loop go round, and syncs each MiB
 * on libuv's pool.
 */
export const zeroFillInSteps: PrepareSegment = async (
  directory: Directory,
  name: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> => {
  const piece = new Uint8Array(PIECE_BYTES);
  const file = directory.openFile(name, "create");
  try {
    file.truncate(0);
    for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
      signal.throwIfAborted();
      file.write(at, piece.subarray(0, Math.min(PIECE_BYTES, sizeBytes - at)));
      if ((at + PIECE_BYTES) % SYNC_BYTES === 0) await file.syncBeside?.();
      await turn();
    }
    await (file.syncBeside?.() ?? file.sync());
  } finally {
    file.close();
  }
};
