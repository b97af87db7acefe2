import { setImmediate as turn } from "node:timers/promises";
import type { Directory } from "../../native-free/file.ts";
import type { PrepareSegment } from "./next-segment.ts";

/** A write of this takes about 0.1 ms. */
const PIECE_BYTES = 256 * 1024;
/** One sync of all of it would hold up the log's own for as long as it takes. */
const SYNC_BYTES = 1024 * 1024;

/**
 * A `PrepareSegment` for whoever has no thread for it: writes a piece, lets the event loop go round, and syncs each MiB
 * on libuv's pool. To be run on a thread as well, on a `SystemDirectory` of the same path.
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
