/**
 * What the backend asks of the page file's one writer, on whatever thread that is. Calls are made one at a time; what
 * goes in and out is plain data, so that it can cross.
 */
import type { Meta } from "../pagefile/meta.ts";
import type { Space } from "../pagefile/page-file.ts";
import type { CommitTimes } from "../pagefile/tx.ts";

export interface StorageOptions {
  readonly noSync: boolean;
  readonly cacheBytes: number;
  readonly pageBytes: number;
}

/** One commit, or the file as it was opened. */
export interface Root {
  readonly meta: Meta;
  readonly space: Space;
}

export interface OpenReport extends Root {
  /** Where a reader finds the file. */
  readonly path: string;
  /** What keeps others out: a `sidecar` is not seen by a real etcd, `none` is for a file that nobody else can reach. */
  readonly lockedBy: "flock" | "sidecar" | "none";
}

/** Operations in the order they were made, in the form of `write-batch.ts`. */
export interface Batch {
  readonly chunks: readonly BatchChunk[];
}

export interface BatchChunk {
  readonly bytes: Uint8Array;
  readonly usedBytes: number;
}

export interface CommitTask {
  readonly batch: Batch;
  /** Of the last log entry whose effects are in the batch, or in one before. */
  readonly index: number;
  readonly term: number;
  /** Txids that somebody reads. */
  readonly pins: readonly number[];
}

export interface CommitReport extends Root {
  /** First pages of all runs that were written. */
  readonly written: Float64Array;
  readonly times: CommitTimes;
}

/** One step of giving up history: deletes what is not kept, and is a commit of its own. */
export interface CompactTask {
  /** History below this goes. */
  readonly revision: number;
  /** Sorted, and shared with whoever does it: what stays of the revisions up to `revision`. */
  readonly keptMains: Float64Array;
  readonly keptSubs: Uint32Array;
  /** Where to go on: the first revision not looked at yet. */
  readonly fromMain: number;
  readonly fromSub: number;
  /** What one step may do, since who commits next waits for it: records to look at … */
  readonly limit: number;
  /** … and how long to look. The commit itself comes on top. */
  readonly budgetMs: number;
  readonly pins: readonly number[];
}

export interface CompactReport {
  /** Nothing is left to look at, and the disk says so. */
  readonly done: boolean;
  readonly nextMain: number;
  readonly nextSub: number;
  /** Records, and how many of them are gone. */
  readonly looked: number;
  readonly deleted: number;
  /** Undefined: nothing was to be written. */
  readonly commit: CommitReport | undefined;
}

export interface ScanTask {
  /** Begin again; else it goes on where the last call stopped. */
  readonly restart: boolean;
  /** Records, about. */
  readonly limit: number;
}

/**
 * A piece of bucket `key` in columns, as an index is built from it. User keys lie one after another in `keys`, as
 * latin1 of what `keyEnds` cuts.
 */
export interface ScanPiece {
  readonly count: number;
  readonly mains: Float64Array;
  readonly subs: Uint32Array;
  readonly tombstones: Uint8Array;
  readonly creates: Float64Array;
  readonly versions: Float64Array;
  readonly keyEnds: Uint32Array;
  readonly keys: Uint8Array;
  /** Only those with a lease: position in this piece, and lease. */
  readonly leases: readonly (readonly [number, bigint])[];
  readonly done: boolean;
  /** Of keys and values in this piece, for a progress bar. */
  readonly recordBytes: number;
}

export interface Storage {
  /**
   * @param olderRoot  see PageFileOptions
   * @throws StrataError LOCKED, NO_LOCK; CorruptionError; the system's errors
   */
  open(olderRoot: boolean): Promise<OpenReport>;
  /** @throws what a commit throws; after that every further call but `close` throws FAILED */
  commit(task: CommitTask): Promise<CommitReport>;
  compact(task: CompactTask): Promise<CompactReport>;
  /** Of the last commit. While a scan is not done, nothing may be committed. */
  scan(task: ScanTask): Promise<ScanPiece>;
  /**
   * Copies the last commit into a new file without what is free, and goes on with that file, which has the old one's
   * name from then on. Whoever reads the old file may go on with it.
   * @throws StrataError NO_DISK, NO_LOCK; CorruptionError, the system's errors: then all is as it was. FAILED: as a commit
   */
  defragment(): Promise<OpenReport>;
  /** Closes the file; nothing is committed. */
  close(): Promise<void>;
}
