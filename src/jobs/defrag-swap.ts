/**
 * The last step of an online defragmentation, on the storage thread: the copy is locked before it takes the file's
 * name, so that at no moment another process gets in. See defrag-work.ts for what becomes of one that waited for the
 * old lock.
 */
import { basename, dirname } from "node:path";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import { lockFile } from "../../native-free/file-lock.ts";
import { catchUp } from "../backend/fresh-copy.ts";
import type { StorageOptions } from "../backend/storage.ts";
import { StrataError } from "../base/errors.ts";
import { PageFile } from "../pagefile/page-file.ts";
import type { SwapTask } from "./copy-thread.ts";
import { disable, realPath } from "./defrag-work.ts";

/** A copy that no other process can open. The lock is the descriptor's, and goes with it. */
export class LockedCopy {
  readonly path: string;
  readonly #file: SystemFile;

  /** @throws StrataError NO_LOCK; the system's errors */
  constructor(path: string) {
    this.path = path;
    this.#file = new SystemFile(path, "write");
    try {
      const lock = lockFile(this.#file, "exclusive");
      if (lock.kind === "held") return;
      throw new StrataError("NO_LOCK", `${path}: the copy cannot be locked: ${lock.kind}`);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /**
   * Brings the copy to the last commit of `file`, and puts it in its place.
   * @returns the new file; the old one is the caller's to close
   * @throws CorruptionError, the system's errors: then the old file is as it was. FAILED: nobody can say which of the
   *   two is found after a power loss, and neither may be written any more
   */
  swap(
    file: PageFile,
    path: string,
    { older, free }: SwapTask,
    options: StorageOptions,
  ): { readonly file: PageFile; readonly changes: number } {
    const place = realPath(path);
    const directory = new SystemDirectory(dirname(place));
    const copy = this.#file;
    const old = new SystemFile(place, "write");
    try {
      const steps = catchUp(file.viewOf(older), file.viewOf(file.meta), copy, free, options.noSync);
      let step = steps.next();
      while (!step.done) step = steps.next();
      const { changes } = step.value;
      const known = { keepOlderRoot: true, free: step.value.free };
      const fresh = PageFile.open(copy, { ...options, ...known });
      directory.rename(basename(this.path), basename(place));
      try {
        if (!options.noSync) directory.sync();
        disable(old, file.pageBytes);
      } catch (error) {
        fresh.close();
        throw new StrataError("FAILED", `${path}: defragmented, and not durably`, { cause: error });
      }
      return { file: fresh, changes };
    } catch (error) {
      copy.close();
      throw error;
    } finally {
      old.close();
    }
  }

  /** Gives up the copy. After `swap` the new file is its owner. */
  close(): void {
    this.#file.close();
  }
}
