/**
 * A bbolt file: opening it, its readers, its one writer, and what it knows of its space.
 *
 * One `PageFile` is the only writer of its file; the lock that keeps other processes out is taken by `openPageFile`.
 */

import type { RandomAccessFile } from "../../native-free/file.ts";
import { viewOf } from "../base/bytes.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { PAGE_BYTES_DEFAULT, PAGE_BYTES_MAX, PAGE_BYTES_MIN } from "../base/limits.ts";
import { Arena } from "./arena.ts";
import { CachedPages } from "./cached-pages.ts";
import { type CheckResult, checkTree } from "./check.ts";
import { encodePart, partOf } from "./encode-part.ts";
import { addReached, reachedPages, readFreelistPage } from "./free-pages.ts";
import { Freelist } from "./freelist.ts";
import { encodeMetaPage, META_END, type Meta, type MetaPair, readMetas } from "./meta.ts";
import { Node } from "./node.ts";
import type { WalkSource } from "./page-runs.ts";
import { encodeFreelistPage, ReadTx, WriteTx } from "./tx.ts";

export interface PageFileOptions {
  /** Refuse write transactions; nothing is written, not even to an empty file. */
  readonly readOnly?: boolean;
  /** Page size of a file that is made now: a power of two from 1 KiB to 64 KiB, 4 KiB unless told. */
  readonly pageBytes?: number;
  /**
   * Store the free list with every commit, as bbolt does by default; etcd never does, and derives it by one walk over
   * the file when it opens it. Off unless told.
   */
  readonly freelistSync?: boolean;
  /** What the page cache may hold, 64 MiB unless told. */
  readonly cacheBytes?: number;
  /** Skip every sync: a power cut may then ruin the file. For copies that are synced by other means. */
  readonly noSync?: boolean;
  /**
   * Open on the transaction before the last one, whose root has been found unreadable. Once the older root has been
   * walked, the newer meta is overwritten: pages that it alone reaches are about to be used again.
   */
  readonly olderRoot?: boolean;
  /**
   * Pages that only the transaction before the last one reaches count as freed by the last one, and not as free. With
   * an outside reader of that transaction they are not used again, so that one can still go back to it. Only where the
   * free list is not stored.
   */
  readonly keepOlderRoot?: boolean;
  /**
   * What is free, where whoever made the file knows it: then the tree is not walked to find out. Only where the free
   * list is not stored.
   */
  readonly free?: ArrayLike<number>;
}

/** Where the bytes of a file are. */
export interface Space {
  /** Pages below the high-water mark, in bytes: what etcd calls the database's size. */
  readonly sizeBytes: number;
  /** `sizeBytes` without what is free now. */
  readonly inUseBytes: number;
  /** Free now: the next transaction may use it. */
  readonly freeBytes: number;
  /** Freed, but some reader may still reach it, or the last transaction freed it. */
  readonly pendingBytes: number;
}

const CACHE_BYTES = 64 * 1024 * 1024;

export class PageFile {
  readonly path: string;
  readonly pageBytes: number;
  readonly readOnly: boolean;
  readonly #file: RandomAccessFile;
  readonly #options: PageFileOptions;
  readonly #pages: CachedPages;
  readonly #freelist: Freelist;
  /** The writer's, one after another. */
  readonly #arena = new Arena();
  /** Readers by the txid that they read. */
  readonly #readers = new Map<number, number>();
  /** Of readers that have their own way to the file. */
  #outsideReaders: readonly number[] = [];
  readonly #closeFile: () => void;
  #meta: Meta;
  #writer: WriteTx | undefined;
  #failure: unknown;
  #open = true;

  private constructor(
    file: RandomAccessFile,
    metas: MetaPair,
    options: PageFileOptions,
    closeFile: () => void,
  ) {
    this.path = file.path;
    this.#closeFile = closeFile;
    this.pageBytes = metas.pageBytes;
    this.readOnly = options.readOnly ?? false;
    this.#file = file;
    this.#options = options;
    this.#meta = metas.active;
    this.#pages = new CachedPages(file, metas.pageBytes, options.cacheBytes ?? CACHE_BYTES);
    this.#freelist = new Freelist(Math.min(metas.active.pgid, file.size() / metas.pageBytes));
  }

  /**
   * Opens a file, making a new one of an empty file. The file is the caller's to lock, and is closed by `close`.
   *
   * The meta with the higher txid that is valid is in force: a file whose last commit was cut short opens on the one
   * before. For writing, that meta is made durable, and the free list is read, or derived by a walk over the whole
   * tree. A new file whose making was cut short is made anew.
   *
   * @param closeFile  what `close` does with the file, for a caller that has a lock to give up with it
   * @throws CorruptionError if neither meta is valid, or (for writing) the free list or the tree cannot be read
   * @throws StrataError BAD_ARGUMENT for a page size out of range
   */
  static open(
    file: RandomAccessFile,
    options: PageFileOptions = {},
    closeFile: () => void = (): void => file.close(),
  ): PageFile {
    if (options.readOnly) {
      if (file.size() === 0) throw new CorruptionError(file.path, 0, "file size too small 0");
    } else {
      createIfUnused(file, options.pageBytes ?? PAGE_BYTES_DEFAULT);
    }
    const metas = options.olderRoot ? olderMetas(file) : readMetas(file);
    const opened = new PageFile(file, metas, options, closeFile);
    if (!opened.readOnly) {
      if (options.free !== undefined) opened.#takeFree(options.free);
      else opened.#loadFreelist(options.keepOlderRoot ? olderOf(metas) : undefined);
      if (options.olderRoot) forgetNewer(file, metas);
      if (!options.noSync) makeDurable(file, metas);
      if (options.freelistSync && opened.#meta.freelist === undefined) opened.beginWrite().commit();
    }
    return opened;
  }

  /** The root in force. */
  get meta(): Meta {
    return this.#meta;
  }

  /** A view of the last commit, whatever is written meanwhile. Close it. */
  beginRead(): ReadTx {
    this.#assertOpen();
    const { txid } = this.#meta;
    this.#readers.set(txid, (this.#readers.get(txid) ?? 0) + 1);
    return new ReadTx(this.#pages, this.#meta, () => {
      const left = (this.#readers.get(txid) ?? 0) - 1;
      if (left > 0) this.#readers.set(txid, left);
      else this.#readers.delete(txid);
    });
  }

  /** A view of an earlier commit, which somebody keeps readable for as long as the view is open. */
  viewOf(meta: Meta): ReadTx {
    this.#assertOpen();
    return new ReadTx(this.#pages, meta, () => undefined);
  }

  /** What the last commit does not reach. */
  freeIds(): Float64Array {
    return Float64Array.from(this.#freelist.storedIds());
  }

  /**
   * Readers that this object does not open itself, on other threads: pages that a root of these transactions reaches
   * are not written to by later write transactions. It must be told before whoever reads the last commit may miss it.
   * @param txids  those of all such readers, in any order; they replace the ones told before
   */
  setOutsideReaders(txids: readonly number[]): void {
    this.#outsideReaders = txids;
  }

  /**
   * The one write transaction. End it by `commit` or `rollback`.
   * @throws StrataError READ_ONLY, FAILED after a failed write or sync, BAD_ARGUMENT while another one is open
   */
  beginWrite(): WriteTx {
    this.#assertOpen();
    if (this.readOnly) throw new StrataError("READ_ONLY", `${this.path}: opened for reading`);
    if (this.#failure !== undefined) {
      throw new StrataError(
        "FAILED",
        `${this.path}: an earlier write or sync failed, the file must be opened again before it is written`,
        { cause: this.#failure },
      );
    }
    if (this.#writer !== undefined) {
      throw new StrataError("BAD_ARGUMENT", `${this.path}: a write transaction is open already`);
    }
    const readers = [...new Set([...this.#readers.keys(), ...this.#outsideReaders])];
    this.#freelist.reclaim(readers.sort((a, b) => a - b));
    const file = this.#file;
    const noSync = this.#options.noSync ?? false;
    const inside = this.#readers;
    const outside = readers.length > inside.size;
    this.#writer = new WriteTx(this.#pages, this.#meta, {
      freelist: this.#freelist,
      arena: this.#arena,
      freelistSync: this.#options.freelistSync ?? false,
      get readersOpen(): boolean {
        return outside || inside.size > 0;
      },
      writeParts: (offsetBytes, parts) => file.writeParts(offsetBytes, parts),
      sync: () => {
        if (!noSync) file.sync();
      },
      finished: (meta) => {
        this.#writer = undefined;
        this.#arena.recycle();
        if (meta !== undefined) this.#meta = meta;
      },
      failed: (error) => {
        this.#failure = error;
      },
    });
    return this.#writer;
  }

  /** Runs `change` in a write transaction: committed when it returns, rolled back when it throws. */
  update<T>(change: (tx: WriteTx) => T): T {
    const tx = this.beginWrite();
    let result: T;
    try {
      result = change(tx);
    } catch (error) {
      tx.rollback();
      throw error;
    }
    tx.commit();
    return result;
  }

  /** Runs `look` on a view of the last commit. */
  view<T>(look: (tx: ReadTx) => T): T {
    const tx = this.beginRead();
    try {
      return look(tx);
    } finally {
      tx.close();
    }
  }

  /** The four numbers of the file's space. A file opened for reading knows no free pages. */
  space(): Space {
    const { pageBytes } = this;
    const sizeBytes = this.#meta.pgid * pageBytes;
    const freeBytes = this.#freelist.freeCount * pageBytes;
    const pendingBytes = this.#freelist.pendingCount * pageBytes;
    return { sizeBytes, inUseBytes: sizeBytes - freeBytes, freeBytes, pendingBytes };
  }

  /** The txids that open readers hold, with how many hold each. */
  readers(): ReadonlyMap<number, number> {
    return new Map(this.#readers);
  }

  /** Everything wrong with the last commit. Reads every page once. */
  check(): CheckResult {
    this.#assertOpen();
    return checkTree(this.walkSource(), this.#meta);
  }

  /** The pages of the last commit, for a walk that ends before the next write transaction commits. */
  walkSource(): WalkSource {
    return this.#pages.walkSource(this.#meta.pgid);
  }

  /** Rolls back an open write transaction and closes the file. Closing twice is harmless. */
  close(): void {
    if (!this.#open) return;
    this.#writer?.rollback();
    this.#open = false;
    this.#pages.close();
    this.#closeFile();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertOpen(): void {
    if (!this.#open) throw new StrataError("CLOSED", `${this.path}: the file is closed`);
  }

  #takeFree(ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) this.#freelist.addFree(ids[i] as number);
  }

  /** @param older  a root whose pages are to be kept for now */
  #loadFreelist(older: Meta | undefined): void {
    const { pgid, freelist } = this.#meta;
    const filePages = Math.ceil(this.#file.size() / this.pageBytes);
    if (pgid > filePages) {
      const what = `the file has ${filePages} pages, its meta says ${pgid} are in use`;
      throw new CorruptionError(this.path, this.#file.size(), what);
    }
    if (freelist === undefined) {
      const reached = reachedPages(this.walkSource(), this.#meta);
      const kept = reached.clone();
      if (older !== undefined) addReached(this.walkSource(), older, kept);
      for (let id = 2; id < pgid; id++) {
        if (!kept.has(id)) this.#freelist.addFree(id);
        else if (!reached.has(id)) this.#freelist.release(this.#meta.txid, id, 0);
      }
      return;
    }
    const page = this.#pages.rawPage(freelist, pgid);
    for (const id of readFreelistPage(page, this.path, this.pageBytes)) {
      if (id < 2 || id >= pgid || !this.#freelist.addFree(id)) {
        const why = id < 2 || id >= pgid ? `out of bounds: ${pgid}` : "already freed";
        const what = `freelist page ${freelist} lists page ${id}: ${why}`;
        throw new CorruptionError(this.path, freelist * this.pageBytes, what);
      }
    }
  }
}

/** The root before the one in force, if it is told. */
function olderOf({ readings, active, activePage }: MetaPair): Meta | undefined {
  const other = readings[activePage === 0 ? 1 : 0];
  return other.kind === "valid" && other.meta.txid < active.txid ? other.meta : undefined;
}

/** The metas, with the one in force that the newer one hides. */
function olderMetas(file: RandomAccessFile): MetaPair {
  const metas = readMetas(file);
  const activePage = metas.activePage === 0 ? 1 : 0;
  const older = olderOf(metas);
  if (older !== undefined) return { ...metas, active: older, activePage };
  const what = `no older transaction than ${metas.active.txid} is to be had`;
  throw new CorruptionError(file.path, activePage * metas.pageBytes, what);
}

/**
 * Lets both metas of a file that nobody has open lead to the root in force, so that there is none before it to go back
 * to. Not synced.
 */
export function forgetOlder(file: RandomAccessFile): void {
  const { active, activePage, pageBytes } = readMetas(file);
  const olderPage = activePage === 0 ? 1 : 0;
  const older = { ...active, txid: Math.max(active.txid - 1, 0) };
  file.write(olderPage * pageBytes, encodeMetaPage(older, olderPage));
}

function forgetNewer(file: RandomAccessFile, { active, activePage, pageBytes }: MetaPair): void {
  const newerPage = activePage === 0 ? 1 : 0;
  file.write(newerPage * pageBytes, encodeMetaPage(active, newerPage));
  file.sync();
}

/**
 * Makes a new file of one in which nothing was ever committed: two metas, an empty free list, an empty root bucket; in
 * one write, and synced.
 */
function createIfUnused(file: RandomAccessFile, pageBytes: number): void {
  if (
    pageBytes < PAGE_BYTES_MIN ||
    pageBytes > PAGE_BYTES_MAX ||
    (pageBytes & (pageBytes - 1)) !== 0
  ) {
    const what = `page size ${pageBytes} is no power of two from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX}`;
    throw new StrataError("BAD_ARGUMENT", what);
  }
  const image = emptyFileImage(pageBytes);
  if (!isPartOf(image, file)) return;
  file.write(0, image);
  file.sync();
}

/**
 * Whether the file is what a power cut left of `image`, each byte its own or still zero. The first commit needs a fifth
 * page, and its length is durable before its meta is: a file no longer than the image has never seen one.
 */
function isPartOf(image: Uint8Array, file: RandomAccessFile): boolean {
  const sizeBytes = file.size();
  if (sizeBytes > image.length) return false;
  const found = new Uint8Array(sizeBytes);
  file.read(0, found);
  return found.every((byte, i) => byte === 0 || byte === image[i]);
}

/**
 * A process that was killed may have left its last meta in the system's cache. Whoever builds on it overwrites pages
 * that the meta before needs, so it must be on the disk first. It is written again, not only synced: after a sync that
 * failed, the system may hold a page for clean that never reached the disk.
 */
function makeDurable(file: RandomAccessFile, { activePage, pageBytes }: MetaPair): void {
  const meta = new Uint8Array(META_END);
  file.read(activePage * pageBytes, meta);
  file.write(activePage * pageBytes, meta);
  file.sync();
}

/** The four pages of a new file, byte for byte as bbolt writes them. */
export function emptyFileImage(pageBytes: number): Uint8Array {
  const image = new Uint8Array(4 * pageBytes);
  const meta = { pageBytes, root: 3, sequence: 0n, freelist: 2, pgid: 4 };
  image.set(encodeMetaPage({ ...meta, txid: 0 }, 0), 0);
  image.set(encodeMetaPage({ ...meta, txid: 1 }, 1), pageBytes);
  image.set(encodeFreelistPage([], 2, pageBytes, pageBytes), 2 * pageBytes);
  const root = new Node(true, []);
  invariant(root.count === 0, "the root bucket of a new file is empty");
  encodePart(partOf(root, 0, 0), 3, 0, image, viewOf(image), 3 * pageBytes, pageBytes);
  return image;
}
