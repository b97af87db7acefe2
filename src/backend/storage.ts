/**
 * What the backend asks of the page file's one writer, on whatever thread that is. Calls are made one at a time; what
 * goes in and out is plain data, so that it can cross.
 */
import type { Clock } from "../base/clock.ts";
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

export type CopyPhase = "measuring" | "copying" | "catching up" | "swapping";

/** Whom a copy is made for. */
export interface CopyWork {
  /** Ends the work at its next step, with the signal's reason. */
  readonly signal: AbortSignal;
  /** Of what is written, at most, while the first copy is made. */
  readonly rateBytesPerSecond: number | undefined;
  readonly clock: Clock;
  /** @param totalBytes  0: not known */
  readonly report: (phase: CopyPhase, doneBytes: number, totalBytes: number) => void;
}

/**
 * A file beside the database without what is free in it, which is to take its place. The file goes on to be written
 * meanwhile. The commits that are told must be pinned during the call.
 *
 *   measure? ─► write ─► catchUp … ─► prepare ─► swap
 *
 * Whatever fails but `swap` with FAILED leaves the database as it is: `discard` is what is left to do then.
 */
export interface FreshCopy {
  /** @throws StrataError NO_DISK if a file of that size, and what the log needs meanwhile, do not fit beside it */
  assertRoom(sizeBytes: number): void;
  /** How large the copy would be, exactly. Nothing is written. @throws (rejects) CorruptionError, the system's errors */
  measure(root: Root): Promise<number>;
  /** Makes it, durably. @returns its size. @throws (rejects) as `measure`; StrataError NO_DISK, NO_LOCK */
  write(root: Root): Promise<number>;
  /** Makes a copy of commit `older` one of `newer`. @returns how many keys it took. @throws (rejects) as `measure` */
  catchUp(older: Meta, newer: Meta): Promise<number>;
  /** Keeps others from the copy, as from the file. Nothing may be committed during the call. @throws StrataError NO_LOCK */
  prepare(): Promise<void>;
  /**
   * Makes a copy of commit `older` one of the last, and puts it in the place of the file, durably. Nothing may be
   * committed during the call, and from then on it is the new file. Whoever reads the old one may go on with it.
   * @throws (rejects) as `measure`; StrataError FAILED: as a commit
   */
  swap(older: Meta): Promise<SwapReport>;
  /** Leaves nothing of it. Never rejects: what is left for some reason the next start removes. */
  discard(): Promise<void>;
}

export interface SwapReport extends OpenReport {
  /** Keys of the last step. */
  readonly changes: number;
  /**
   * Gives back the space of the file that was, in small steps; to be called when nobody reads it any more. Never
   * rejects. Undefined where it goes with its last reader.
   */
  readonly releaseOld: (() => Promise<void>) | undefined;
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
  /** Of the file, into which it is defragmented: see there. One at a time. */
  freshCopy(work: CopyWork): FreshCopy;
  /** Closes the file; nothing is committed. */
  close(): Promise<void>;
}
