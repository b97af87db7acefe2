/** A file is written under another name, synced and renamed: one under its own name is whole. */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";

/** What a file is called until it is whole. */
export function unfinishedName(name: string): string {
  return `${name}.part`;
}

/**
 * Makes or replaces a file; what is left of it after a failure is removed.
 * @param write  all of it, and durably. What it throws ends the writing
 * @returns what `write` does
 */
export async function writeWhole<T>(
  directory: Directory,
  name: string,
  write: (file: RandomAccessFile) => Promise<T>,
): Promise<T> {
  const unfinished = unfinishedName(name);
  const file = directory.openFile(unfinished, "create", 0o600);
  try {
    let result: T;
    try {
      file.truncate(0);
      result = await write(file);
    } finally {
      file.close();
    }
    directory.rename(unfinished, name);
    directory.sync();
    return result;
  } catch (error) {
    try {
      if (directory.exists(unfinished)) directory.remove(unfinished);
    } catch {
      // The disk refuses that as well: what it refused first says more.
    }
    throw error;
  }
}
