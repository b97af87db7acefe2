/**
 * The page file as the main thread sees it: writes go into a buffer and are committed by the storage thread a batch at
 * a time; reads see the buffer first, then the last commit through this thread's page cache.
 *
 *   filling ──seal──► committing ──report──► root
 *
 * A batch is sealed when it is old or full and no other is on its way. Every batch carries the log index of the last
 * entry whose effects are in it, so the file always says how much of the log it has.
 *
 * After a failed commit nothing more is written: what was buffered stays readable, and is in the log.
 *
 * @see etcd server/storage/backend
 */
import type { RandomAccessFile } from "../../native-free/file.ts";
import { readU64BE, viewOf } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { nextTurn } from "../base/turn.ts";
import type { Bucket } from "../pagefile/bucket.ts";
import { PageReader } from "../pagefile/page-reader.ts";
import type { ReadTx } from "../pagefile/tx.ts";
import { CONSISTENT_INDEX, KEY, META, TERM } from "./buckets.ts";
import { CommitHistograms } from "./commit-histograms.ts";
import {
  type DefragHost,
  type DefragOutcome,
  type DefragWork,
  defragmentOnline,
} from "./online-defrag.ts";
import { type Pin, type PinReport, Pins } from "./pins.ts";
import { encodeRevision, putRevision, REVISION_BYTES, TOMBSTONE_BYTES } from "./revision.ts";
import type { RowSink } from "./row-sink.ts";
import type {
  CommitReport,
  CompactReport,
  CompactTask,
  OpenReport,
  Root,
  Storage,
  SwapReport,
} from "./storage.ts";
import { ChunkPool, type RecordVisitor, type ValuePlace, WriteBatch } from "./write-batch.ts";

export interface BackendOptions {
  readonly clock: Clock;
  /** A batch is committed when it is this old. Default: 100, as etcd's --backend-batch-interval. */
  readonly batchIntervalMs?: number;
  /** Or has this many operations. Default: 10,000, as etcd's --backend-batch-limit. */
  readonly batchLimit?: number;
  /** Or this many bytes. Default: 8 MiB. */
  readonly batchBytes?: number;
  /** Buffered bytes at which writers are to wait. Default: 64 MiB. */
  readonly bufferBytes?: number;
  /** Of the main thread. Default: 64 MiB. */
  readonly cacheBytes?: number;
}

/** The file's space in four numbers, as of the last commit. */
export interface BackendSpace {
  /** What etcd calls the size: all pages, free ones included. */
  readonly sizeBytes: number;
  /** `sizeBytes` without what is free. */
  readonly inUseBytes: number;
  /** Free: the next commit may use it. */
  readonly reusableBytes: number;
  /** Freed, and kept for those who still read it, or for the next start. */
  readonly pinnedBytes: number;
}

/** Which log entry a commit has reached. */
export interface LogPoint {
  readonly index: number;
  readonly term: number;
}

const NO_BYTES = new Uint8Array(0);

/** A stream of chunks of 1 MiB: enough for two full batches. */
const POOLED_CHUNKS = 18;

type ReleaseOld = SwapReport["releaseOld"];

/** A file that was defragmented, and is still read. */
interface Retired {
  readonly reader: PageReader;
  readonly releaseOld: ReleaseOld;
}

export class Backend implements RowSink {
  readonly commitHistograms: CommitHistograms = new CommitHistograms();
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #options: Required<Omit<BackendOptions, "clock">>;
  readonly #pool = new ChunkPool(POOLED_CHUNKS);
  readonly #pins = new Pins();
  /** Of the file; and of those it had before a defragmentation, as long as somebody reads them. */
  #reader: PageReader;
  #retired: Retired[] = [];
  readonly #readerOf = new WeakMap<Pin, PageReader>();
  readonly #revisionKey = new Uint8Array(REVISION_BYTES);
  readonly #revisionView: DataView = viewOf(this.#revisionKey);
  #filling = new WriteBatch(this.#pool);
  #committing: WriteBatch | undefined;
  #root: Root;
  #view: ReadTx;
  #keys: Bucket | undefined;
  /** Of the last entry that was applied. */
  #applied: LogPoint;
  #committed: LogPoint;
  #older: LogPoint;
  #failure: unknown;
  #closing = false;
  /** What the storage is doing, if anything: it does one thing at a time. */
  #busy: Promise<void> | undefined;
  /** Those who wait to have the storage to themselves: no commit begins before they had. */
  #reserved = 0;
  #timer: AbortController | undefined;
  /** Its time was over while the storage was busy. */
  #isDue = false;
  #commits = 0;
  #waiters: (() => void)[] = [];
  #onCommit: () => void = () => undefined;

  /**
   * @param opened  what `storage.open` reported
   * @param file  the same file, for this thread to read; closed by `close`
   */
  constructor(
    storage: Storage,
    opened: OpenReport,
    file: RandomAccessFile,
    options: BackendOptions,
  ) {
    this.#storage = storage;
    this.#clock = options.clock;
    this.#options = {
      batchIntervalMs: options.batchIntervalMs ?? 100,
      batchLimit: options.batchLimit ?? 10_000,
      batchBytes: options.batchBytes ?? 8 * 1024 * 1024,
      bufferBytes: options.bufferBytes ?? 64 * 1024 * 1024,
      cacheBytes: options.cacheBytes ?? 64 * 1024 * 1024,
    };
    this.#reader = new PageReader(file, opened.meta.pageBytes, this.#options.cacheBytes);
    this.#root = opened;
    this.#view = this.#reader.view(opened.meta);
    this.#keys = this.#view.bucket(KEY);
    const meta = this.#view.bucket(META);
    const committed = {
      index: readNumber(meta?.get(CONSISTENT_INDEX)),
      term: readNumber(meta?.get(TERM)),
    };
    this.#applied = committed;
    this.#committed = committed;
    // Nobody knows what the root before this one has: nothing can be given up before two commits.
    this.#older = { index: 0, term: 0 };
  }

  // -- reading

  /**
   * Where the value of a record of bucket `key` lies: in the buffer, or in a page. The bytes are good until this turn
   * of the event loop ends: copy what is to be kept.
   * @returns false if there is none
   */
  find(main: number, sub: number, tombstone: boolean, into: ValuePlace): boolean {
    if (this.#filling.find(main, sub, tombstone, into)) return true;
    if (this.#committing?.find(main, sub, tombstone, into)) return true;
    if (this.#keys === undefined) return false;
    const value = this.#keys.get(this.#keyOf(main, sub, tombstone));
    if (value === undefined) return false;
    into.bytes = value;
    into.offset = 0;
    into.length = value.length;
    return true;
  }

  /**
   * Visits the records of bucket `key` from a revision on, in order: those of the file, then those of the buffer. As
   * for `find`, places are good until anything is awaited.
   */
  scan(fromMain: number, visit: RecordVisitor): void {
    const place = newValuePlace();
    const cursor = this.#keys?.cursor();
    let more = cursor?.seek(this.#keyOf(fromMain, 0, false)) ?? false;
    while (more && cursor !== undefined) {
      const { bytes, keyOffset, keyBytes, valueBytes } = cursor;
      const view = viewOf(bytes);
      place.bytes = bytes;
      place.offset = keyOffset + keyBytes;
      place.length = valueBytes;
      const main = readU64BE(view, keyOffset);
      const sub = readU64BE(view, keyOffset + 9);
      if (!visit(main, sub, keyBytes === TOMBSTONE_BYTES, place)) return;
      more = cursor.next();
    }
    if (this.#committing?.scan(fromMain, visit) === false) return;
    this.#filling.scan(fromMain, visit);
  }

  /** The last commit, for what is read once at the start. Not what is buffered. */
  get view(): ReadTx {
    return this.#view;
  }

  /**
   * Keeps the last commit readable, for work that takes longer than a turn of the event loop. Whoever opens the file
   * for it calls this right behind `commit`, and opens it before anything is awaited: then it is the commit's file.
   */
  pin(purpose: string): Pin {
    const pin = this.#pins.pin(this.#root, purpose, this.#clock.nowMs());
    this.#readerOf.set(pin, this.#reader);
    return pin;
  }

  /** A view of a pinned commit, through this thread's cache. Close it before the pin is let go. */
  viewAt(pin: Pin): ReadTx {
    return (this.#readerOf.get(pin) ?? this.#reader).view(pin.root.meta);
  }

  /** Who keeps old pages from being used again, and for how long. */
  pinned(): PinReport[] {
    return this.#pins.report(this.#clock.nowMs());
  }

  /** Whether somebody keeps old pages of this file from being used again. */
  get hasReaders(): boolean {
    for (const pin of this.#pins.open) if (this.#readerOf.get(pin) === this.#reader) return true;
    return false;
  }

  get space(): BackendSpace {
    const { sizeBytes, inUseBytes, freeBytes, pendingBytes } = this.#root.space;
    return { sizeBytes, inUseBytes, reusableBytes: freeBytes, pinnedBytes: pendingBytes };
  }

  // -- writing, all within one turn of the event loop up to `applied`

  putRow(bucket: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    this.#filling.put(bucket, key, value);
  }

  deleteRow(bucket: Uint8Array, key: Uint8Array): void {
    this.#filling.delete(bucket, key);
  }

  /** @see WriteBatch.record */
  record(
    main: number,
    sub: number,
    tombstone: boolean,
    valueBytesMax: number,
    encode: (bytes: Uint8Array, offset: number) => number,
  ): ValuePlace {
    return this.#filling.record(main, sub, tombstone, valueBytesMax, encode);
  }

  /** What the file has at the start, as the log says it; before anything is applied. */
  startsAt(point: LogPoint): void {
    this.#applied = point;
    this.#committed = point;
  }

  /** All effects of the log up to `point` are in the buffer. */
  applied(point: LogPoint): void {
    this.#applied = point;
    if (this.#failure !== undefined || this.#busy !== undefined) return;
    const { operations, byteLength } = this.#filling;
    if (operations >= this.#options.batchLimit || byteLength >= this.#options.batchBytes) {
      this.#start();
    } else {
      this.#wait();
    }
  }

  /** Of the last entry that was applied. */
  get appliedPoint(): LogPoint {
    return this.#applied;
  }

  /** What the last commit has. */
  get committedPoint(): LogPoint {
    return this.#committed;
  }

  /** What the commit before has: the log from here on is needed should the last root be unreadable. */
  get safePoint(): LogPoint {
    return this.#older;
  }

  /** So much is buffered that whoever makes more should wait for `room`. */
  get isFull(): boolean {
    return this.bufferedBytes >= this.#options.bufferBytes;
  }

  /** Applied, and not in the last commit. */
  get bufferedBytes(): number {
    return this.#filling.byteLength + (this.#committing?.byteLength ?? 0);
  }

  /** Resolves after the next commit, or its failure. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Called after each commit. */
  set onCommit(called: () => void) {
    this.#onCommit = called;
  }

  get commits(): number {
    return this.#commits;
  }

  /** Writes nothing from now on: what is buffered may not be whole. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#timer?.abort();
  }

  /** What made it stop writing; undefined while all is well. */
  get failure(): unknown {
    return this.#failure;
  }

  /** @throws StrataError FAILED once writing has failed */
  assertWorks(): void {
    if (this.#failure === undefined) return;
    const reason = reasonOf(this.#failure);
    const what = `writing the database failed, the store must be opened again: ${reason}`;
    throw new StrataError("FAILED", what, { cause: this.#failure });
  }

  /**
   * Commits everything that was applied before the call.
   * @throws (rejects) StrataError FAILED
   */
  async commit(): Promise<void> {
    // Even if there is nothing to commit: whoever asks reads the file by its name, which may be another's by now.
    this.assertWorks();
    const batch = this.#filling;
    while (this.#filling === batch) {
      if (this.#busy !== undefined) await this.#busy;
      else if (this.#dirty) this.#start();
      else return;
      this.assertWorks();
    }
    while (this.#committing === batch) {
      await this.#busy;
      this.assertWorks();
    }
  }

  /**
   * One step of giving up history, as a commit of its own.
   * @throws (rejects) StrataError FAILED
   */
  async compact(task: Omit<CompactTask, "pins">): Promise<CompactReport> {
    while (this.#busy !== undefined) await this.#busy;
    this.assertWorks();
    let report: CompactReport | undefined;
    this.#run(async () => {
      report = await this.#storage.compact({ ...task, pins: this.#pinned() });
      if (report.commit === undefined) return;
      this.#switchTo(report.commit);
      this.#older = this.#committed;
    });
    await this.#busy;
    this.assertWorks();
    invariant(report !== undefined, "a step that did not fail has its report");
    return report;
  }

  /**
   * Rewrites the file without its free pages, while it goes on to be used: see online-defrag.ts.
   * @param openFile  opens the file by its name, for this thread to read
   * @throws (rejects) the signal's reason; StrataError NO_DISK, NO_LOCK, CLOSED; CorruptionError, the system's errors:
   *   then all is as it was; FAILED
   */
  async defragment(
    openFile: () => RandomAccessFile,
    work: Omit<DefragWork, "clock">,
  ): Promise<DefragOutcome> {
    await this.commit();
    const whole = { ...work, clock: this.#clock };
    const host: DefragHost = {
      pin: () => this.pin("defragmentation"),
      freshCopy: () => this.#storage.freshCopy(whole),
      assertWorks: () => this.#assertUsable(),
      alone: (step) => this.#alone(step),
      swap: (step) =>
        this.#alone(async () => {
          // Whoever has just waited for a commit pins it and opens its file first: see `pin`.
          await nextTurn();
          const report = await step();
          this.#moveTo(report, openFile, report.releaseOld);
        }),
    };
    return defragmentOnline(host, whole);
  }

  /**
   * Commits what is left, unless writing has failed, and closes the file.
   * @throws (rejects) StrataError FAILED if that last commit fails; the file is closed then, too
   */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#timer?.abort();
    try {
      while (this.#busy !== undefined) await this.#busy;
      if (this.#failure === undefined && this.#dirty) await this.commit();
    } finally {
      this.#closeReaders();
      await this.#storage.close();
    }
  }

  /** Closes the file as it is: what a crash would leave. */
  async abandon(): Promise<void> {
    this.#closing = true;
    this.#failure ??= new StrataError("CLOSED", "the backend was abandoned");
    this.#timer?.abort();
    await this.#busy;
    this.#closeReaders();
    await this.#storage.close();
  }

  #assertUsable(): void {
    this.assertWorks();
    if (this.#closing) throw new StrataError("CLOSED", "the backend is closed");
  }

  /**
   * Work of the storage before which no other commit begins. What it throws is thrown here; only FAILED, or an error
   * behind what cannot be undone, is the backend's own failure.
   * @returns how long commits had to wait for it
   */
  async #alone(work: () => Promise<void>): Promise<number> {
    this.#reserved++;
    try {
      while (this.#busy !== undefined) await this.#busy;
    } finally {
      this.#reserved--;
    }
    this.#assertUsable();
    const beganMs = performance.now();
    let refusal: { readonly error: unknown } | undefined;
    this.#run(async () => {
      try {
        await work();
      } catch (error) {
        if (error instanceof StrataError && error.code === "FAILED") throw error;
        refusal = { error };
      }
    });
    await this.#busy;
    if (refusal !== undefined) throw refusal.error;
    this.assertWorks();
    return performance.now() - beganMs;
  }

  get #dirty(): boolean {
    return this.#filling.operations > 0 || this.#applied.index !== this.#committed.index;
  }

  /** One timer for however many writes. */
  #wait(): void {
    if (this.#timer !== undefined || this.#closing) return;
    const timer = new AbortController();
    this.#timer = timer;
    void this.#clock.sleep(this.#options.batchIntervalMs, timer.signal).then(() => {
      if (this.#timer === timer) this.#timer = undefined;
      if (timer.signal.aborted || !this.#dirty) return;
      if (this.#busy === undefined) this.#start();
      else this.#isDue = true;
    });
  }

  #start(): void {
    if (this.#failure !== undefined) return;
    this.#timer?.abort();
    this.#timer = undefined;
    this.#isDue = false;
    const batch = this.#filling;
    const point = this.#applied;
    this.#committing = batch;
    this.#filling = new WriteBatch(this.#pool);
    this.#run(async () => {
      const pins = this.#pinned();
      const report = await this.#storage.commit({
        batch: { chunks: batch.chunks.map(plain) },
        ...point,
        pins,
      });
      this.#switchTo(report);
      this.#older = this.#committed;
      this.#committed = point;
      this.#committing = undefined;
      batch.recycle();
      this.#commits++;
    });
  }

  #run(work: () => Promise<void>): void {
    this.#busy = work()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .then(() => {
        this.#busy = undefined;
        this.#closeRetired();
        const waiters = this.#waiters;
        this.#waiters = [];
        for (const resolve of waiters) resolve();
        this.#onCommit();
        this.#goOn();
      });
  }

  /** What came in meanwhile goes at once if it is enough or its time is over, else in its time. */
  #goOn(): void {
    if (this.#busy !== undefined || this.#reserved > 0 || this.#closing || !this.#dirty) return;
    if (this.#isDue) this.#start();
    else this.applied(this.#applied);
  }

  /** If the new root cannot be read, reads go on with the old one, which no further commit overwrites then. */
  #switchTo(report: CommitReport): void {
    this.commitHistograms.observe(report.times);
    this.#reader.written(report.written);
    const view = this.#reader.view(report.meta);
    try {
      this.#keys = view.bucket(KEY);
    } catch (error) {
      view.close();
      throw error;
    }
    this.#view.close();
    this.#root = { meta: report.meta, space: report.space };
    this.#view = view;
  }

  /**
   * The new file has one root only: as at a start, nothing of the log can be given up before two commits. From here on
   * the old file is nobody's: if the new one cannot be read, nothing more is written.
   */
  #moveTo(report: OpenReport, openFile: () => RandomAccessFile, releaseOld: ReleaseOld): void {
    let reader: PageReader | undefined;
    let view: ReadTx;
    try {
      reader = new PageReader(openFile(), report.meta.pageBytes, this.#options.cacheBytes);
      view = reader.view(report.meta);
      this.#keys = view.bucket(KEY);
    } catch (error) {
      reader?.close();
      const what = "defragmented, and the new file cannot be read";
      throw new StrataError("FAILED", what, { cause: error });
    }
    this.#view.close();
    this.#retired.push({ reader: this.#reader, releaseOld });
    this.#reader = reader;
    this.#root = { meta: report.meta, space: report.space };
    this.#view = view;
    this.#older = { index: 0, term: 0 };
  }

  /** Txids of the file's own that somebody reads. */
  #pinned(): number[] {
    return [...this.#pins.open]
      .filter((pin) => this.#readerOf.get(pin) === this.#reader)
      .map(({ root }) => root.meta.txid);
  }

  #closeRetired(): void {
    if (this.#retired.length === 0) return;
    const read = new Set([...this.#pins.open].map((pin) => this.#readerOf.get(pin)));
    for (const { reader, releaseOld } of this.#retired) {
      if (read.has(reader)) continue;
      reader.close();
      void releaseOld?.();
    }
    this.#retired = this.#retired.filter(({ reader }) => read.has(reader));
  }

  #closeReaders(): void {
    this.#view.close();
    for (const { reader } of this.#retired) reader.close();
    this.#reader.close();
    this.#retired = [];
  }

  /** The memory of most is used again for the next. */
  #keyOf(main: number, sub: number, tombstone: boolean): Uint8Array {
    if (tombstone) return encodeRevision(main, sub, true);
    putRevision(this.#revisionKey, this.#revisionView, 0, main, sub, false);
    return this.#revisionKey;
  }
}

/** Without what only this thread needs of it. */
function plain({ bytes, usedBytes }: { bytes: Uint8Array; usedBytes: number }): {
  bytes: Uint8Array;
  usedBytes: number;
} {
  return { bytes, usedBytes };
}

function readNumber(bytes: Uint8Array | undefined): number {
  return bytes?.length === 8 ? readU64BE(viewOf(bytes), 0) : 0;
}

/** A place to be filled by `find`. */
export function newValuePlace(): ValuePlace {
  return { bytes: NO_BYTES, offset: 0, length: 0 };
}
