/**
 * Reading a tree's pages in tree order with few, large reads and bounded memory: children of a branch that lie near
 * each other in the file come in one read. Pages are valid until the next read at the same depth.
 */

import { newSlab, type Slab } from "../../native-free/page-cache.ts";
import { CorruptionError } from "../base/errors.ts";
import { branchChild, claimedOverflow, Page } from "./page.ts";

/** The little of a file that a walk reads through. */
export interface WalkSource {
  readonly path: string;
  readonly pageBytes: number;
  /** Pages in use: ids from here on do not belong to the tree. */
  readonly pgid: number;
  size(): number;
  readSome(offsetBytes: number, into: Uint8Array): number;
  /** A page that is in memory already. */
  cached?(id: number): Page | undefined;
}

/** One read takes at most this much: what the processor still has in its own cache when the pages are looked at. */
const RUN_BYTES = 128 * 1024;

/** Pages that belong to somebody else and are read along, where that saves a read. */
const GAP_PAGES = 8;

export class PageRun {
  readonly #source: WalkSource;
  #slab: Slab | undefined;
  #start = 0;
  #pages = 0;

  constructor(source: WalkSource) {
    this.#source = source;
  }

  /** Child `i` of a branch; those after it are read along. Its id must be within the file. */
  child(branch: Page, i: number): Page {
    const id = branchChild(branch, i);
    const cached = this.#source.cached?.(id);
    if (cached !== undefined) return cached;
    if (id < this.#start || id >= this.#start + this.#pages)
      this.#fill(id, this.#lastInRun(branch, i));
    return this.#take(id);
  }

  /** A page that is nobody's child: a bucket's root. */
  single(id: number): Page {
    const cached = this.#source.cached?.(id);
    if (cached !== undefined) return cached;
    this.#fill(id, id);
    return this.#take(id);
  }

  #lastInRun(branch: Page, i: number): number {
    const { pageBytes, pgid } = this.#source;
    const first = branchChild(branch, i);
    const limit = Math.min(first + Math.max(1, Math.floor(RUN_BYTES / pageBytes)), pgid) - 1;
    let last = first;
    for (let j = i + 1; j < branch.count; j++) {
      const id = branchChild(branch, j);
      if (id <= last || id > last + 1 + GAP_PAGES || id > limit) break;
      last = id;
    }
    return last;
  }

  #fill(first: number, last: number): void {
    const { pageBytes } = this.#source;
    const wanted = (last - first + 1) * pageBytes;
    if (this.#slab === undefined || this.#slab.bytes.length < wanted) {
      this.#slab = newSlab(wanted);
    }
    const got = this.#source.readSome(first * pageBytes, this.#slab.bytes.subarray(0, wanted));
    this.#start = first;
    this.#pages = Math.floor(got / pageBytes);
  }

  #take(id: number): Page {
    const { pageBytes, path } = this.#source;
    const slab = this.#slab;
    if (slab === undefined || id < this.#start || id >= this.#start + this.#pages) {
      throw new CorruptionError(path, this.#source.size(), `the file ends inside page ${id}`);
    }
    const base = (id - this.#start) * pageBytes;
    const overflow = claimedOverflow(slab.view, base);
    if (overflow < this.#start + this.#pages - id) {
      return new Page(id, slab.bytes, slab.view, base, (overflow + 1) * pageBytes);
    }
    return this.#readWhole(id, overflow);
  }

  #readWhole(id: number, overflow: number): Page {
    const { pageBytes, path, pgid } = this.#source;
    const fileBytes = this.#source.size();
    if (id + overflow >= pgid) {
      const what = `page ${id} with ${overflow} overflow pages: out of bounds: ${pgid}`;
      throw new CorruptionError(path, id * pageBytes + 12, what);
    }
    const length = (overflow + 1) * pageBytes;
    if (id * pageBytes + length > fileBytes) {
      throw new CorruptionError(path, fileBytes, `the file ends inside page ${id}`);
    }
    const { bytes, view } = newSlab(length);
    this.#source.readSome(id * pageBytes, bytes);
    return new Page(id, bytes, view, 0, length);
  }
}
