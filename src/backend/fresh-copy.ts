/**
 * A database that is defragmented while it is open: its last commit is copied into a file beside it, without free and
 * half-empty pages, and that file takes its name. At every moment the old file or the new one is there, whole.
 */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { compactTree } from "../pagefile/compact.ts";
import type { PageFile } from "../pagefile/page-file.ts";

/** One sync of everything at the end would keep the log's waiting. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/** @returns when the copy is durable, unless `noSync`. @throws CorruptionError as `compactTree`; the system's errors */
export function writeFreshCopy(file: PageFile, copy: RandomAccessFile, noSync: boolean): void {
  let unsyncedBytes = 0;
  compactTree(file.walkSource(), file.meta, (offsetBytes, bytes) => {
    copy.write(offsetBytes, bytes);
    unsyncedBytes += bytes.length;
    if (noSync || unsyncedBytes < SYNC_EVERY_BYTES) return;
    copy.sync();
    unsyncedBytes = 0;
  });
  if (!noSync) copy.sync();
}

/** A name that etcd sweeps away at its start, should a crash leave the file behind; so do we. */
export function copyName(name: string, number: number): string {
  return `${name}.tmp.${number}`;
}

/** Under the lock of the file, whatever of that name is there belongs to a run that is dead. @returns what was removed */
export function removeLeftovers(directory: Directory, name: string): string[] {
  const leftovers = directory
    .list()
    .filter((each) => each.startsWith(`${name}.tmp.`) && /^\d+$/.test(each.slice(name.length + 5)));
  for (const each of leftovers) directory.remove(each);
  return leftovers;
}
