/**
 * The page file's one writer: commits batches, gives up history, and reads through the file when a store starts. It
 * runs on the storage thread, or on the caller's own where there is none (`InlineStorage`).
 */

import { equalBytes, viewOf, writeU64BE } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import type { Bucket } from "../pagefile/bucket.ts";
import type { PageFile } from "../pagefile/page-file.ts";
import type { WriteTx } from "../pagefile/tx.ts";
import { CONSISTENT_INDEX, FINISHED_COMPACT_REV, KEY, META, TERM } from "./buckets.ts";
import { CompactionSieve } from "./compaction-sieve.ts";
import { RecordScan } from "./record-scan.ts";
import { encodeRevision } from "./revision.ts";
import type {
  CommitReport,
  CommitTask,
  CompactReport,
  CompactTask,
  Root,
  ScanPiece,
  ScanTask,
} from "./storage.ts";
import { BUCKETS, operationsOf } from "./write-batch.ts";

export class StorageWriter {
  readonly file: PageFile;
  #scan: RecordScan | undefined;

  constructor(file: PageFile) {
    this.file = file;
  }

  root(): Root {
    return { meta: this.file.meta, space: this.file.space() };
  }

  /** All of etcd's buckets are there after the first commit. */
  commit({ batch, index, term, pins }: CommitTask): CommitReport {
    return this.#write(pins, (tx) => {
      const buckets = new Map<Uint8Array, Bucket>();
      if (tx.bucket(META) === undefined) {
        for (const name of BUCKETS) tx.createBucketIfNotExists(name);
      }
      let lastName: Uint8Array | undefined;
      let last: Bucket | undefined;
      for (const { bucket: name, key, value } of operationsOf(batch)) {
        if (name !== lastName || last === undefined) {
          last = buckets.get(name) ?? openBucket(tx, name);
          buckets.set(name, last);
          lastName = name;
        }
        if (value === undefined) last.delete(key);
        else last.put(key, value);
      }
      const meta = tx.createBucketIfNotExists(META);
      putIfChanged(meta, CONSISTENT_INDEX, u64(index));
      putIfChanged(meta, TERM, u64(term));
    });
  }

  /** Looks at some records from a revision on, and deletes what is not kept. Without anything to write, nothing is. */
  compact(task: CompactTask): CompactReport {
    const sieve = new CompactionSieve(task, this.file.path);
    this.#protect(task.pins);
    const tx = this.file.beginWrite();
    let deleted: number;
    try {
      const bucket = tx.createBucketIfNotExists(KEY);
      bucket.fillPercent = 1;
      deleted = bucket.prune(encodeRevision(task.fromMain, task.fromSub), sieve);
      if (!sieve.cutShort) {
        const finished = encodeRevision(task.revision, 0);
        tx.createBucketIfNotExists(META).put(FINISHED_COMPACT_REV, finished);
      }
    } catch (error) {
      tx.rollback();
      throw error;
    }
    const { looked, nextMain, nextSub } = sieve;
    const step = { done: !sieve.cutShort, nextMain, nextSub, looked, deleted };
    if (deleted === 0 && !step.done) {
      tx.rollback();
      return { ...step, commit: undefined };
    }
    return { ...step, commit: this.#commit(tx) };
  }

  scan({ restart, limit }: ScanTask): ScanPiece {
    if (restart) {
      this.#scan?.end();
      this.#scan = new RecordScan(this.file);
    }
    invariant(this.#scan !== undefined, "a scan goes on that was begun");
    return this.#scan.next(limit);
  }

  close(): void {
    this.#scan?.end();
    this.file.close();
  }

  #write(pins: readonly number[], change: (tx: WriteTx) => void): CommitReport {
    this.#protect(pins);
    const tx = this.file.beginWrite();
    try {
      change(tx);
    } catch (error) {
      tx.rollback();
      throw error;
    }
    return this.#commit(tx);
  }

  /**
   * The root before the last one counts as read: should the last one turn out to be unreadable, a start falls back to
   * it, and must find it whole even if the power went out in the middle of the commit that comes.
   */
  #protect(pins: readonly number[]): void {
    this.file.setOutsideReaders([...pins, this.file.meta.txid - 1]);
  }

  #commit(tx: WriteTx): CommitReport {
    tx.commit();
    return { ...this.root(), written: tx.writtenPages(), times: tx.times };
  }
}

/** Revisions only ever come at the end: its pages can be filled. (etcd fills nine tenths of them.) */
function openBucket(tx: WriteTx, name: Uint8Array): Bucket {
  const bucket = tx.createBucketIfNotExists(name);
  if (name === KEY) bucket.fillPercent = 1;
  return bucket;
}

/** Most commits change it; a forced one on an idle store may not, and then its page stays as it is. */
function putIfChanged(bucket: Bucket, key: Uint8Array, value: Uint8Array): void {
  const old = bucket.get(key);
  if (old === undefined || !equalBytes(old, value)) bucket.put(key, value);
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU64BE(viewOf(bytes), 0, value);
  return bytes;
}
