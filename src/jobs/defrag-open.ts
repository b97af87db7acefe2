/**
 * Defragments the file that a storage thread has open: the new file is locked before it takes the old one's name, so
 * that at no moment another process gets in. See defrag-work.ts for what becomes of one that waited for the old lock.
 */
import { basename, dirname, join } from "node:path";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import { copyName, removeLeftovers, writeFreshCopy } from "../backend/fresh-copy.ts";
import type { StorageOptions } from "../backend/storage.ts";
import { StrataError } from "../base/errors.ts";
import { type LockedPageFile, openLockedPageFile } from "../pagefile/open.ts";
import type { PageFile } from "../pagefile/page-file.ts";
import { assertDisk, disable, keepOwner, realPath } from "./defrag-work.ts";

/**
 * @returns the new file, in the place of the old one, which is the caller's to close
 * @throws StrataError NO_DISK, NO_LOCK; CorruptionError, the system's errors: then the old file is as it was. FAILED:
 *   nobody can say which of the two is found after a power loss, and neither may be written any more
 */
export function defragOpenFile(
  { file, lockedBy }: LockedPageFile,
  path: string,
  options: StorageOptions,
): LockedPageFile {
  if (lockedBy !== "flock") {
    const what = `${path}: the lock there is here does not move with a file: defragment it offline`;
    throw new StrataError("NO_LOCK", what);
  }
  const place = realPath(path);
  const directory = new SystemDirectory(dirname(place));
  const name = basename(place);
  removeLeftovers(directory, name);
  assertDisk(place, file.space().inUseBytes);
  const temporary = copyName(name, file.meta.txid);
  const old = new SystemFile(place, "write");
  let fresh: LockedPageFile | undefined;
  try {
    copyBeside(
      file,
      old,
      new SystemFile(join(directory.path, temporary), "create-exclusive"),
      options,
    );
    fresh = openLockedPageFile(join(directory.path, temporary), {
      ...options,
      keepOlderRoot: true,
    });
    directory.rename(temporary, name);
  } catch (error) {
    fresh?.file.close();
    old.close();
    removeLeftovers(directory, name);
    throw error;
  }
  try {
    if (!options.noSync) directory.sync();
    disable(old, file.pageBytes);
  } catch (error) {
    fresh.file.close();
    throw new StrataError("FAILED", `${path}: defragmented, and not durably`, { cause: error });
  } finally {
    old.close();
  }
  return fresh;
}

function copyBeside(
  file: PageFile,
  old: SystemFile,
  copy: SystemFile,
  { noSync }: StorageOptions,
): void {
  try {
    keepOwner(old, copy);
    writeFreshCopy(file, copy, noSync);
  } finally {
    copy.close();
  }
}
