/** Committed pages of a file, through the cache. */

import type { RandomAccessFile } from "../../native-free/file.ts";
import { newSlab, PageCache } from "../../native-free/page-cache.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import type { PageRoom } from "./arena.ts";
import {
  BRANCH,
  claimedFlags,
  claimedOverflow,
  LEAF,
  Page,
  pageFault,
  pageTypeName,
  parsePage,
} from "./page.ts";
import type { WalkSource } from "./page-runs.ts";

/** What is read in one go while the cache has room: a page alone costs almost as much. */
const AROUND_BYTES = 64 * 1024;

/** Less room than this is not worth filling with what nobody asked for. */
const AROUND_FREE_BYTES = 512 * 1024;

const unused = { offsetBytes: 0 };

export class CachedPages {
  readonly path: string;
  readonly pageBytes: number;
  readonly cache: PageCache<Page>;
  readonly #file: RandomAccessFile;
  #open = true;

  constructor(file: RandomAccessFile, pageBytes: number, capacityBytes: number) {
    this.path = file.path;
    this.pageBytes = pageBytes;
    this.#file = file;
    this.cache = new PageCache<Page>({ pageBytes, capacityBytes });
  }

  /**
   * The branch or leaf page `id`, its overflow included.
   * @param pgid  ids from here on are not part of the tree that is read
   * @throws CorruptionError if it is not a page of that kind, or not whole
   */
  treePage(id: number, pgid: number): Page {
    return this.#treeOnly(this.cache.get(id) ?? this.#load(id, pgid));
  }

  #treeOnly(page: Page): Page {
    if (page.flags > LEAF) {
      const what = `page ${page.id}: invalid type: ${pageTypeName(page.flags)}`;
      throw new CorruptionError(this.path, page.id * this.pageBytes + 8, what);
    }
    return page;
  }

  /**
   * The same for one who will write the page anew: when it is not in the cache it is read into `room`, for what is
   * about to be replaced need not push out what is not.
   */
  pageToChange(id: number, pgid: number, room: PageRoom): Page {
    const { pageBytes } = this;
    if (this.cache.has(id)) return this.treePage(id, pgid);
    this.#assertWithin(id, 0, pgid);
    const { bytes, view } = room.next(pageBytes);
    const base = room.offset;
    this.#fill(id, bytes.subarray(base, base + pageBytes));
    if (claimedOverflow(view, base) !== 0) return this.#treeOnly(this.#read(id, pgid));
    room.take(pageBytes);
    const page = new Page(id, bytes, view, base, pageBytes);
    return this.#treeOnly(parsePage(page, this.path, id * pageBytes));
  }

  /**
   * The pages below `pgid` for a walk or a scan, which takes from the cache and puts nothing there. It is true for as
   * long as the pages of the tree that is walked are not reused.
   */
  walkSource(pgid: number): WalkSource {
    return { ...this.storedPages(pgid), cached: (id): Page | undefined => this.cache.get(id) };
  }

  /** The same past the cache. */
  storedPages(pgid: number): WalkSource {
    return {
      path: this.path,
      pageBytes: this.pageBytes,
      pgid,
      size: () => {
        this.#assertOpen();
        return this.#file.size();
      },
      readSome: (offsetBytes, into) => {
        this.#assertOpen();
        return this.#file.readSome(offsetBytes, into);
      },
    };
  }

  /** Reads a page past the cache: for the free list, which is read once. */
  rawPage(id: number, pgid: number): Page {
    return this.#read(id, pgid);
  }

  /** From now on there are no pages: the descriptor may be another file's soon. */
  close(): void {
    this.#open = false;
    this.cache.clear();
  }

  #load(id: number, pgid: number): Page {
    const { cache, pageBytes } = this;
    this.#assertWithin(id, 0, pgid);
    if (cache.freePages >= AROUND_FREE_BYTES / pageBytes) {
      this.#loadAround(id, pgid);
      const page = cache.get(id);
      if (page !== undefined) return page;
    }
    const { bytes, view } = cache.room();
    const base = cache.roomOffset;
    this.#fill(id, bytes.subarray(base, base + pageBytes));
    const overflow = claimedOverflow(view, base);
    if (overflow === 0) {
      const page = parsePage(new Page(id, bytes, view, base, pageBytes), this.path, id * pageBytes);
      cache.putInRoom(page);
      return page;
    }
    const page = this.#read(id, pgid);
    cache.adopt({ bytes: page.bytes, view: page.view }, [page]);
    return page;
  }

  /**
   * Reads the pages around `id` in one go and takes in those that are whole tree pages by themselves. The others are
   * left alone: nobody may ask for them, and who does is told what is wrong.
   *
   * Among them can be free pages as they last were. No tree leads there, and who writes a page puts it in the cache.
   */
  #loadAround(id: number, pgid: number): void {
    const { cache, pageBytes } = this;
    const around = Math.floor(AROUND_BYTES / pageBytes);
    const first = Math.max(2, id - (id % around));
    const pages = Math.min(first + around - (first % around), pgid) - first;
    const { bytes, view } = cache.room(pages);
    const from = cache.roomOffset;
    const into = bytes.subarray(from, from + pages * pageBytes);
    const got = Math.floor(this.#file.readSome(first * pageBytes, into) / pageBytes);
    for (let i = 0; i < got; i++) {
      const base = from + i * pageBytes;
      const flags = claimedFlags(view, base);
      if ((flags === BRANCH || flags === LEAF) && claimedOverflow(view, base) === 0) {
        const page = new Page(first + i, bytes, view, base, pageBytes);
        if (!cache.has(page.id) && pageFault(page, unused) === undefined) {
          cache.putInRoom(page);
          continue;
        }
      }
      cache.skipRoom();
    }
  }

  #read(id: number, pgid: number): Page {
    const { pageBytes } = this;
    this.#assertWithin(id, 0, pgid);
    const head = newSlab(pageBytes);
    this.#fill(id, head.bytes);
    const overflow = claimedOverflow(head.view, 0);
    this.#assertWithin(id, overflow, pgid);
    const length = (overflow + 1) * pageBytes;
    const slab = overflow === 0 ? head : newSlab(length);
    if (overflow > 0) this.#fill(id, slab.bytes);
    return parsePage(new Page(id, slab.bytes, slab.view, 0, length), this.path, id * pageBytes);
  }

  #assertOpen(): void {
    if (!this.#open) throw new StrataError("CLOSED", `${this.path}: the file is closed`);
  }

  #assertWithin(id: number, overflow: number, pgid: number): void {
    this.#assertOpen();
    if (id < 2 || id + overflow >= pgid) {
      const last = overflow === 0 ? "" : ` with ${overflow} overflow pages`;
      const what = `page ${id}${last}: out of bounds: ${pgid}`;
      throw new CorruptionError(this.path, Math.min(id, pgid) * this.pageBytes, what);
    }
    const endBytes = (id + overflow + 1) * this.pageBytes;
    if (overflow > 0 && endBytes > this.#file.size()) {
      throw new CorruptionError(this.path, this.#file.size(), `the file ends inside page ${id}`);
    }
  }

  #fill(id: number, into: Uint8Array): void {
    const got = this.#file.readSome(id * this.pageBytes, into);
    if (got < into.length) {
      const at = id * this.pageBytes + got;
      throw new CorruptionError(this.path, at, `the file ends inside page ${id}`);
    }
  }
}
