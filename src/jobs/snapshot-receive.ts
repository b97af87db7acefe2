/** A snapshot that comes from a server, as a file: whole and on the disk, or not there. */
import type { Directory } from "../../native-free/file.ts";
import { BackgroundSync } from "./background-sync.ts";
import { writeWhole } from "./whole-file.ts";

/** Pieces come as the server cuts them, of 32 KiB: so many writes would cost more than to gather them. */
const GATHERED_BYTES = 1024 * 1024;

/**
 * @param pieces  asked for when the file is open; what it throws ends the writing, and nothing is left
 * @returns the length of the file
 */
export function receiveSnapshot(
  directory: Directory,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<number> {
  return writeWhole(directory, name, async (file) => {
    const flushed = new BackgroundSync(file);
    const memory = new Uint8Array(GATHERED_BYTES);
    let gathered = 0;
    let written = 0;
    const write = (): void => {
      flushed.write(written, memory.subarray(0, gathered));
      written += gathered;
      gathered = 0;
    };
    try {
      for await (const piece of pieces) {
        for (let at = 0; at < piece.length; ) {
          const some = piece.subarray(at, at + GATHERED_BYTES - gathered);
          memory.set(some, gathered);
          gathered += some.length;
          at += some.length;
          if (gathered === GATHERED_BYTES) write();
        }
      }
      if (gathered > 0) write();
    } finally {
      await flushed.settled();
    }
    await (file.syncBeside?.() ?? file.sync());
    return written;
  });
}
