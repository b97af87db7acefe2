/**
 * A snapshot file is written under another name, synced and renamed: one under its own name is whole. Unlike etcdctl's
 * the new name is synced, too.
 *
 * Each piece is synced by itself: one sync at the end of some hundred megabytes would hold up the log's for as long as
 * it takes.
 *
 * @see etcd client/v3/snapshot/v3_snapshot.go Save
 */
import { basename, dirname } from "node:path";
import { type Directory, type RandomAccessFile, SystemDirectory } from "../../native-free/file.ts";
import { ProgressWriter } from "./progress.ts";
import { snapshotBytes, snapshotPieces, sourceOf } from "./snapshot-pieces.ts";
import type { SaveInput } from "./snapshot-save.ts";
import { writeWhole } from "./whole-file.ts";

/** The job itself, on a thread. */
export function saveSnapshot(
  input: SaveInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<number> {
  progress.phase(0, snapshotBytes(input.meta));
  const { target } = input;
  const folder = new SystemDirectory(dirname(target));
  return writeSnapshot(folder, basename(target), snapshotPieces(sourceOf(input), input.meta), {
    wrote: (doneBytes) => progress.done(doneBytes),
    sync: (file) => file.sync(),
  });
}

export interface WriteHost {
  /** Called after each piece; what it throws ends the writing, and nothing is left. */
  wrote(doneBytes: number): void;
  sync(file: RandomAccessFile): Promise<void> | void;
}

/** @returns the length of the file */
export async function writeSnapshot(
  directory: Directory,
  name: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  host: WriteHost,
): Promise<number> {
  return await writeWhole(directory, name, async (file) => {
    let bytes = 0;
    for await (const piece of pieces) {
      file.write(bytes, piece);
      bytes += piece.length;
      await host.sync(file);
      host.wrote(bytes);
    }
    return bytes;
  });
}
