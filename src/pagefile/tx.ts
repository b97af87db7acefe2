/**
 * Transactions: a reader's pinned root, and the one writer.
 *
 * Commit's order of writes, which is bbolt's: rebalance, spill, the free list, all dirty pages by ascending id, sync,
 * the meta page T % 2, sync. Nothing that the last meta can reach is written to, so a power cut anywhere before the
 * meta is whole leaves the transaction before it in force.
 */

import { newSlab, type PagePlace, type Slab } from "../../native-free/page-cache.ts";
import { viewOf, writeU64, writeU64Big } from "../base/bytes.ts";
import { StrataError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { Arena } from "./arena.ts";
import { Bucket } from "./bucket.ts";
import type { CachedPages } from "./cached-pages.ts";
import type { Cursor } from "./cursor.ts";
import { encodePart, type Part } from "./encode-part.ts";
import type { Freelist } from "./freelist.ts";
import { encodeMetaPage, type Meta } from "./meta.ts";
import { FREELIST, PAGE_HEADER_BYTES, Page, writePageHeader } from "./page.ts";
import type { WalkSource } from "./page-runs.ts";
import type { TxContext } from "./tx-context.ts";

/** A free list of this many ids or more keeps its length in the body: the header has 16 bits for it. */
export const FREELIST_COUNT_MAX = 0xffff;

/** Of those who never write. */
const NO_ARENA = new Arena();

abstract class Tx implements TxContext {
  readonly path: string;
  readonly pageBytes: number;
  abstract readonly writable: boolean;
  abstract readonly arena: Arena;
  mutations = 0;
  protected readonly pages: CachedPages;
  protected open = true;
  protected readonly rootBucket: Bucket;
  /** The root that this transaction started from. */
  readonly meta: Meta;

  constructor(pages: CachedPages, meta: Meta) {
    this.pages = pages;
    this.path = pages.path;
    this.pageBytes = pages.pageBytes;
    this.meta = meta;
    this.rootBucket = new Bucket(this, meta.root, meta.sequence, undefined, 0);
  }

  /** Bytes of the database as this transaction sees it: pages in use and free, trailing bytes not counted. */
  get sizeBytes(): number {
    return this.meta.pgid * this.pageBytes;
  }

  /** A top-level bucket, or undefined. */
  bucket(name: Uint8Array): Bucket | undefined {
    return this.rootBucket.bucket(name);
  }

  /** Over the names of the top-level buckets. */
  cursor(): Cursor {
    return this.rootBucket.cursor();
  }

  /** The top-level buckets in order of their names. */
  *buckets(): Generator<{ readonly name: Uint8Array; readonly bucket: Bucket }> {
    const cursor = this.rootBucket.cursor();
    for (let more = cursor.first(); more; more = cursor.next()) {
      const name = cursor.key();
      const bucket = this.rootBucket.bucket(name);
      if (bucket !== undefined) yield { name, bucket };
    }
  }

  /** The pages that this transaction started from, for a walk or a scan that ends before it does. */
  walkSource(): WalkSource {
    this.assertOpen();
    return this.pages.walkSource(this.meta.pgid);
  }

  storedPages(): WalkSource {
    this.assertOpen();
    return this.pages.storedPages(this.meta.pgid);
  }

  assertOpen(): void {
    if (!this.open) throw new StrataError("CLOSED", `${this.path}: the transaction is over`);
  }

  find(id: number, into: PagePlace): void {
    if (this.pages.cache.find(id, into)) return;
    const page = this.page(id);
    into.bytes = page.bytes;
    into.view = page.view;
    into.base = page.base;
  }

  abstract assertWritable(): void;
  abstract page(id: number): Page;
  abstract pageToChange(id: number): Page;
  abstract breakBy(error: unknown): void;
  abstract write(part: Part): number;
  abstract release(id: number, overflow: number): void;
}

/**
 * A consistent view of the file as of one commit. Pages that it can reach are not reused while it is open: close it,
 * or the file grows.
 */
export class ReadTx extends Tx {
  readonly writable: boolean = false;
  readonly arena: Arena = NO_ARENA;
  readonly #done: () => void;

  constructor(pages: CachedPages, meta: Meta, done: () => void) {
    super(pages, meta);
    this.#done = done;
  }

  /** Gives up the view. Closing twice is harmless. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.#done();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  assertWritable(): void {
    this.assertOpen();
    throw new StrataError("READ_ONLY", `${this.path}: the transaction is for reading`);
  }

  page(id: number): Page {
    return this.pages.treePage(id, this.meta.pgid);
  }

  pageToChange(id: number): Page {
    this.assertWritable();
    return this.page(id);
  }

  breakBy(): void {
    this.assertWritable();
  }

  write(): number {
    this.assertWritable();
    return 0;
  }

  release(): void {
    this.assertWritable();
  }
}

/** What a commit took. Milliseconds. */
export interface CommitTimes {
  /** Merging what has become small. */
  readonly rebalanceMs: number;
  /** Cutting what has become large, and giving all its page. */
  readonly spillMs: number;
  /** Writing and syncing. */
  readonly writeMs: number;
  readonly totalMs: number;
}

/** What a writer needs of the file that it belongs to. */
export interface WriteHost {
  readonly freelist: Freelist;
  /** For this transaction alone, until it is finished. */
  readonly arena: Arena;
  /** Store the free list at commit. */
  readonly freelistSync: boolean;
  /** Some reader is open, so that births of pages matter. */
  readonly readersOpen: boolean;
  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void;
  sync(): void;
  /** The transaction is over: with the meta now in force, or undefined when it was rolled back. */
  finished(meta: Meta | undefined): void;
  /** Nothing of the file can be trusted any more until it is opened again. */
  failed(error: unknown): void;
}

interface DirtyPage {
  readonly id: number;
  readonly pages: number;
  /** Undefined for the free list's page. */
  readonly part: Part | undefined;
}

/** Dirty pages are encoded and written in pieces of this size. */
const WRITE_PIECE_BYTES = 1024 * 1024;

/**
 * A commit that writes more than one part in this many of the cache, or more than so many bytes, is not kept there: it
 * would push out what readers use, and memory that nobody had before costs more than reading what is asked for again.
 */
const KEEP_PART = 32;
const KEEP_BYTES = 128 * 1024;

export class WriteTx extends Tx {
  readonly writable: boolean = true;
  readonly arena: Arena;
  readonly txid: number;
  readonly #host: WriteHost;
  readonly #dirty: DirtyPage[] = [];
  #pgid: number;
  /** A failure in the middle of a change: what is in memory is not whole, only rollback is left. */
  #broken: unknown;
  #times: CommitTimes = { rebalanceMs: 0, spillMs: 0, writeMs: 0, totalMs: 0 };

  constructor(pages: CachedPages, meta: Meta, host: WriteHost) {
    super(pages, meta);
    this.#host = host;
    this.arena = host.arena;
    this.#pgid = meta.pgid;
    this.txid = meta.txid + 1;
  }

  /** @throws StrataError EXISTS, INCOMPATIBLE, BAD_ARGUMENT */
  createBucket(name: Uint8Array): Bucket {
    return this.rootBucket.createBucket(name);
  }

  createBucketIfNotExists(name: Uint8Array): Bucket {
    return this.rootBucket.createBucketIfNotExists(name);
  }

  /** @throws StrataError NOT_FOUND, INCOMPATIBLE */
  deleteBucket(name: Uint8Array): void {
    this.rootBucket.deleteBucket(name);
  }

  /**
   * Makes the changes durable: when it returns they survive a power cut, and every later reader sees them.
   *
   * @throws whatever the disk threw. If that was a write or a sync, the file refuses to write until it is opened
   *   again, because nobody knows what reached the disk; the transaction before this one is in force then, or this one.
   */
  commit(): void {
    this.assertWritable();
    if (this.#broken !== undefined) {
      const error = this.#broken;
      this.rollback();
      throw new StrataError("FAILED", `${this.path}: the transaction broke and was rolled back`, {
        cause: error,
      });
    }
    const beganMs = performance.now();
    let rebalancedMs = beganMs;
    let meta: Meta;
    try {
      this.rootBucket.rebalance();
      rebalancedMs = performance.now();
      meta = this.#lay();
    } catch (error) {
      this.rollback();
      throw error;
    }
    const laidMs = performance.now();
    try {
      this.#writeDirty();
      this.#host.sync();
      const metaPage = meta.txid % 2;
      this.#host.writeParts(metaPage * this.pageBytes, [encodeMetaPage(meta, metaPage)]);
      this.#host.sync();
    } catch (error) {
      this.open = false;
      this.#host.failed(error);
      this.#host.finished(undefined);
      throw error;
    }
    const endMs = performance.now();
    this.#times = {
      rebalanceMs: rebalancedMs - beganMs,
      spillMs: laidMs - rebalancedMs,
      writeMs: endMs - laidMs,
      totalMs: endMs - beganMs,
    };
    this.open = false;
    this.#host.freelist.commit();
    this.#host.finished(meta);
  }

  /** Forgets the changes. After the end of the transaction it does nothing. */
  rollback(): void {
    if (!this.open) return;
    this.open = false;
    this.#host.freelist.rollback(this.txid);
    this.#host.finished(undefined);
  }

  /** Once committed. */
  get times(): CommitTimes {
    return this.#times;
  }

  /** Once committed: the first page of each run that was written, the metas not counted. */
  writtenPages(): Float64Array {
    return Float64Array.from(this.#dirty, ({ id }) => id);
  }

  assertWritable(): void {
    this.assertOpen();
  }

  page(id: number): Page {
    try {
      return this.pages.treePage(id, this.meta.pgid);
    } catch (error) {
      this.breakBy(error);
      throw error;
    }
  }

  pageToChange(id: number): Page {
    try {
      return this.pages.pageToChange(id, this.meta.pgid, this.arena.pages);
    } catch (error) {
      this.breakBy(error);
      throw error;
    }
  }

  breakBy(error: unknown): void {
    this.#broken ??= error;
  }

  write(part: Part): number {
    const pages = Math.ceil(part.sizeBytes / this.pageBytes);
    const id = this.#allocate(pages);
    this.#dirty.push({ id, pages, part });
    return id;
  }

  release(id: number, overflow: number): void {
    try {
      this.#host.freelist.release(this.txid, id, overflow);
    } catch (error) {
      this.breakBy(error);
      throw error;
    }
  }

  #allocate(pages: number): number {
    const { freelist, readersOpen } = this.#host;
    const id = freelist.allocate(this.txid, pages, readersOpen);
    if (id !== 0) return id;
    const end = this.#pgid;
    this.#pgid += pages;
    if (readersOpen) freelist.noteBirth(this.txid, end);
    return end;
  }

  /** Gives every changed thing its page; nothing is written yet. */
  #lay(): Meta {
    this.rootBucket.spill(true);
    const { freelist, freelistSync } = this.#host;
    const old = this.meta.freelist;
    if (old !== undefined) {
      freelist.release(this.txid, old, this.pages.rawPage(old, this.meta.pgid).overflow);
    }
    let stored: number | undefined;
    if (freelistSync) {
      const count = freelist.freeCount + freelist.pendingCount;
      const words = count >= FREELIST_COUNT_MAX ? count + 1 : count;
      const pages = Math.floor((PAGE_HEADER_BYTES + 8 * words) / this.pageBytes) + 1;
      stored = this.#allocate(pages);
      this.#dirty.push({ id: stored, pages, part: undefined });
    }
    return {
      pageBytes: this.pageBytes,
      root: this.rootBucket.rootId,
      sequence: this.rootBucket.sequence,
      freelist: stored,
      pgid: this.#pgid,
      txid: this.txid,
    };
  }

  /**
   * By ascending id, pages next to each other in one write. What was written is in the cache then, unless it is much:
   * such a commit uses the same memory again and again.
   */
  #writeDirty(): void {
    const dirty = this.#dirty.sort((a, b) => a.id - b.id);
    let allPages = 0;
    for (const { pages } of dirty) allPages += pages;
    const keepBytes = Math.min(KEEP_BYTES, this.pages.cache.capacityBytes / KEEP_PART);
    const keep = allPages * this.pageBytes <= keepBytes;
    let from = 0;
    while (from < dirty.length) {
      let to = from;
      let pages = 0;
      do {
        pages += (dirty[to] as DirtyPage).pages;
        to++;
      } while (
        to < dirty.length &&
        (pages + (dirty[to] as DirtyPage).pages) * this.pageBytes <= WRITE_PIECE_BYTES
      );
      this.#writePiece(dirty, from, to, pages * this.pageBytes, keep);
      from = to;
    }
  }

  #writePiece(
    dirty: readonly DirtyPage[],
    from: number,
    to: number,
    pieceBytes: number,
    keep: boolean,
  ): void {
    const { cache } = this.pages;
    const slab = keep ? cache.room(pieceBytes / this.pageBytes) : scratch(pieceBytes);
    const { bytes, view } = slab;
    /** What lies in the cache's room: a page of the tree, or some others. */
    const laid: (Page | number)[] = [];
    let at = keep ? cache.roomOffset : 0;
    let runId = (dirty[from] as DirtyPage).id;
    let runAt = at;
    for (let i = from; i < to; i++) {
      const { id, pages, part } = dirty[i] as DirtyPage;
      if (id !== runId + (at - runAt) / this.pageBytes) {
        this.#host.writeParts(runId * this.pageBytes, [bytes.subarray(runAt, at)]);
        runId = id;
        runAt = at;
      }
      const length = pages * this.pageBytes;
      cache.drop(id);
      if (part === undefined) {
        bytes.set(
          encodeFreelistPage(this.#host.freelist.storedIds(), id, length, this.pageBytes),
          at,
        );
        if (keep) laid.push(pages);
      } else {
        invariant(part.sizeBytes <= length, "a part fits its pages", { id, pages });
        encodePart(part, id, pages - 1, bytes, view, at, length);
        if (keep) {
          const page = new Page(id, bytes, view, at, length);
          page.orderedBytes = part.sizeBytes;
          laid.push(page);
        }
      }
      at += length;
    }
    this.#host.writeParts(runId * this.pageBytes, [bytes.subarray(runAt, at)]);
    for (const page of laid) {
      if (typeof page === "number") cache.skipRoom(page);
      else cache.putInRoom(page);
    }
  }
}

/** Where pages are encoded that nobody keeps: one for all, since a commit does not wait inside. */
let scratchSlab: Slab | undefined;

function scratch(sizeBytes: number): Slab {
  if (sizeBytes > WRITE_PIECE_BYTES) return newSlab(sizeBytes);
  scratchSlab ??= newSlab(WRITE_PIECE_BYTES);
  return scratchSlab;
}

/** | header, count = n or 0xFFFF | n: u64 when count is 0xFFFF | n page ids: u64 each, ascending | zeros */
export function encodeFreelistPage(
  ids: readonly number[],
  pageId: number,
  length: number,
  pageBytes: number,
): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  const count = Math.min(ids.length, FREELIST_COUNT_MAX);
  writePageHeader(view, 0, pageId, FREELIST, count, length / pageBytes - 1);
  let at = PAGE_HEADER_BYTES;
  if (count === FREELIST_COUNT_MAX) {
    writeU64Big(view, at, BigInt(ids.length));
    at += 8;
  }
  for (const id of ids) {
    writeU64(view, at, id);
    at += 8;
  }
  return bytes;
}
