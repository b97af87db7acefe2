/** Opening a page file of the operating system, with the lock that keeps every other process out. */

import { dirname } from "node:path";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import { type LockHolder, lockFile } from "../../native-free/file-lock.ts";
import { StrataError } from "../base/errors.ts";
import { PageFile, type PageFileOptions } from "./page-file.ts";

/**
 * Opens `path` under the lock that bbolt takes: exclusive to write, shared to read. A real etcd or bbolt waits for the
 * file as long as we have it, and is not disturbed by us while it has it. Made when missing, unless for reading.
 *
 * The lock is given up by `close`, and by the end of the process however it comes.
 *
 * @throws StrataError LOCKED, naming the holder where it can be told; what `PageFile.open` throws; the system's errors
 */
export function openPageFile(path: string, options: PageFileOptions = {}): PageFile {
  return openLockedPageFile(path, options).file;
}

export interface LockedPageFile {
  readonly file: PageFile;
  /** A `sidecar` is not seen by a real etcd or bbolt; `none` only where a reader found no lock to be had. */
  readonly lockedBy: "flock" | "sidecar" | "none";
}

/** The same, and says what keeps others out. */
export function openLockedPageFile(path: string, options: PageFileOptions = {}): LockedPageFile {
  const readOnly = options.readOnly ?? false;
  const file = new SystemFile(path, readOnly ? "read" : "create");
  let release = (): void => file.close();
  try {
    const lock = lockFile(file, readOnly ? "shared" : "exclusive", {
      fallback: readOnly ? "none" : "sidecar",
    });
    if (lock.kind === "busy") {
      throw new StrataError("LOCKED", `${path}: held by ${shownHolders(lock.holders)}`);
    }
    if (lock.kind === "unsupported" && !readOnly) {
      throw new StrataError("NO_LOCK", `${path}: cannot be locked: ${lock.why}`);
    }
    if (lock.kind === "held") {
      release = (): void => {
        lock.close();
        file.close();
      };
    }
    const opened = PageFile.open(file, options, release);
    // A commit is worth nothing in a file whose name is lost; it may be new, or its maker was killed before this.
    if (!readOnly && !options.noSync) new SystemDirectory(dirname(path)).sync();
    return { file: opened, lockedBy: lock.kind === "held" ? lock.by : "none" };
  } catch (error) {
    release();
    throw error;
  }
}

/** `etcd (pid 123)`, for a message. */
export function shownHolders(holders: readonly LockHolder[]): string {
  if (holders.length === 0) return "another process";
  return holders
    .map(({ pid, command }) => `${command ?? "a process"} (pid ${pid ?? "unknown"})`)
    .join(", ");
}
