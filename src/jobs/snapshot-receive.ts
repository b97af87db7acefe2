/** A snapshot that comes from a server, as a file: whole and on the disk, or not there. */
import type { Directory } from "../../native-free/file.ts";
import { writeWhole } from "./whole-file.ts";
import { WriteBehind } from "./write-behind.ts";

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
    const behind = new WriteBehind(file);
    try {
      // Pieces come as the server cuts them, of 32 KiB: so many writes would cost more than to gather them.
      let memory = await behind.room();
      let gathered = 0;
      for await (const piece of pieces) {
        for (let at = 0; at < piece.length; ) {
          const some = piece.subarray(at, at + memory.length - gathered);
          memory.set(some, gathered);
          gathered += some.length;
          at += some.length;
          if (gathered < memory.length) continue;
          behind.push(memory, gathered);
          memory = await behind.room();
          gathered = 0;
        }
      }
      behind.push(memory, gathered);
    } catch (error) {
      // Not closed under what is under way.
      await behind.settled().catch(() => undefined);
      throw error;
    }
    await behind.settled();
    await (file.syncBeside?.() ?? file.sync());
    return behind.bytes;
  });
}
