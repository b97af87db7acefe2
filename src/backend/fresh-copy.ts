/**
 * The copy that a database is defragmented into: a file beside it, without free and half-empty pages, which is brought
 * after what is written meanwhile until it can take the database's name. What is here is done on whatever thread.
 */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { equalBytes } from "../base/bytes.ts";
import { DiffApplier } from "../pagefile/apply-diff.ts";
import { TreeDiff } from "../pagefile/diff.ts";
import { FILL_PERCENT_DEFAULT } from "../pagefile/node.ts";
import { forgetOlder, PageFile } from "../pagefile/page-file.ts";
import type { ReadTx } from "../pagefile/tx.ts";
import { KEY } from "./buckets.ts";

/** As the storage's writer fills the pages of bucket `key`, which is nearly all there is: see StorageWriter. */
export const COPY_FILL_PERCENT = 1;

/** One sync of everything at the end would keep the log's waiting. */
const SYNC_EVERY_BYTES = 1024 * 1024;

/** Of the copy while it is brought up to date. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** Writes that reach the disk piece by piece. */
export class SyncedOutput {
  readonly #file: RandomAccessFile;
  readonly #noSync: boolean;
  #unsyncedBytes = 0;

  constructor(file: RandomAccessFile, noSync: boolean) {
    this.#file = file;
    this.#noSync = noSync;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#file.write(offsetBytes, bytes);
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes >= SYNC_EVERY_BYTES) this.sync();
  }

  sync(): void {
    if (!this.#noSync && this.#unsyncedBytes > 0) this.#file.sync();
    this.#unsyncedBytes = 0;
  }
}

export interface CaughtUp {
  /** Pages of the copy that nothing leads to any more. */
  readonly free: Float64Array;
  /** Keys put or deleted. */
  readonly changes: number;
}

/**
 * Does to a copy of commit `older` what makes it one of `newer`; yields between two transactions the bytes that were
 * put so far. All of it is durable at the end, unless `noSync`, and both metas of the copy lead to it: there is no half
 * of it to go back to.
 * @param free  of the copy, as the call before this one said
 * @throws CorruptionError, the system's errors: the copy is good for nothing then
 */
export function* catchUp(
  older: ReadTx,
  newer: ReadTx,
  copy: RandomAccessFile,
  free: ArrayLike<number>,
  noSync: boolean,
): Generator<number, CaughtUp> {
  // The copy is nobody's yet: how its pages reach the disk, and in which order, does not matter before the end.
  const options = { noSync: true, free, cacheBytes: CACHE_BYTES, pageBytes: newer.pageBytes };
  const pages = PageFile.open(copy, options, () => undefined);
  try {
    const applier = new DiffApplier(pages, new TreeDiff(older, newer), {
      fillPercent: (bucket) => (equalBytes(bucket, KEY) ? COPY_FILL_PERCENT : FILL_PERCENT_DEFAULT),
    });
    while (applier.step()) {
      if (!noSync) copy.sync();
      yield applier.bytes;
    }
    forgetOlder(copy);
    if (!noSync) copy.sync();
    return { free: pages.freeIds(), changes: applier.changes };
  } finally {
    pages.close();
  }
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
