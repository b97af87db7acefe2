/**
 * Rows of an index read back from the file in the order of their keys, which is not the order in which they stand
 * there. So a batch of them is read in the order of the file, with few and large reads, and handed out in the order of
 * keys; what is held is a batch.
 */

import { newSlab, type Slab } from "../../../native-free/page-cache.ts";
import { CorruptionError } from "../../base/errors.ts";
import { decodeKeyValue, type KeyValue } from "../../mvcc/key-value.ts";
import {
  claimedOverflow,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  Page,
  parsePage,
} from "../../pagefile/page.ts";
import type { Faults } from "./faults.ts";
import type { Rooted } from "./inspected.ts";
import type { KeyIndex } from "./key-index.ts";

const BATCH_ROWS_MAX = 1 << 17;
const BATCH_BYTES = 16 * 1024 * 1024;
/** One read takes at most this much, unless a page is longer. */
const RUN_BYTES = 512 * 1024;
/** Pages that nobody asked for and that are read along, where that saves a read. */
const GAP_PAGES = 8;

export class RowReader {
  readonly #view: Rooted;
  readonly #index: KeyIndex;
  readonly #faults: Faults;
  #arena = new Uint8Array(0);
  #slab: Slab = newSlab(RUN_BYTES);
  #first = 0;
  #pages = 0;

  constructor(view: Rooted, index: KeyIndex, faults: Faults) {
    this.#view = view;
    this.#index = index;
    this.#faults = faults;
  }

  /** Calls `each` with the rows of `entries`, in their order. One that cannot be read is a fault. */
  read(entries: Uint32Array, each: (kv: KeyValue, i: number) => void): void {
    for (let start = 0; start < entries.length; ) {
      let bytes = 0;
      let end = start;
      while (end < entries.length && end - start < BATCH_ROWS_MAX) {
        bytes += this.#index.rowBytes(entries[end] as number);
        end++;
        if (bytes >= BATCH_BYTES) break;
      }
      this.#batch(entries.subarray(start, end), bytes, start, each);
      start = end;
    }
  }

  #batch(
    entries: Uint32Array,
    bytes: number,
    first: number,
    each: (kv: KeyValue, i: number) => void,
  ): void {
    const index = this.#index;
    if (this.#arena.length < bytes) this.#arena = new Uint8Array(bytes);
    const arena = this.#arena;
    const offsets = new Uint32Array(entries.length);
    // Page and place in the batch as one number: it sorts without a function.
    const order = new Float64Array(entries.length);
    for (let i = 0, offset = 0; i < entries.length; i++) {
      const entry = entries[i] as number;
      offsets[i] = offset;
      offset += index.rowBytes(entry);
      order[i] = index.pageOf(entry) * BATCH_ROWS_MAX + i;
    }
    order.sort();
    const missing = new Uint8Array(entries.length);
    let page: Page | undefined;
    let pageId = -1;
    for (let at = 0; at < order.length; at++) {
      const id = Math.floor((order[at] as number) / BATCH_ROWS_MAX);
      const i = (order[at] as number) % BATCH_ROWS_MAX;
      if (id !== pageId) {
        pageId = id;
        page = this.#faults.catching(() => this.#page(id, order, at));
      }
      const entry = entries[i] as number;
      if (page === undefined || !this.#copy(page, entry, arena, offsets[i] as number)) {
        missing[i] = 1;
      }
    }
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as number;
      const offset = offsets[i] as number;
      const kv =
        missing[i] === 1
          ? undefined
          : decodeKeyValue(arena.subarray(offset, offset + index.rowBytes(entry)));
      if (kv !== undefined && kv.key.length === index.keys.keyBytes(entry)) {
        each(kv, first + i);
        continue;
      }
      const id = index.pageOf(entry);
      const what = `page ${id}: element ${index.elementOf(entry)} is not the row that was read there before`;
      this.#faults.add(what, id * this.#view.pageBytes);
    }
  }

  #copy(page: Page, entry: number, arena: Uint8Array, offset: number): boolean {
    const i = this.#index.elementOf(entry);
    const length = this.#index.rowBytes(entry);
    if (!page.isLeaf || i >= page.count || leafValueBytes(page, i) !== length) return false;
    const start = leafKeyOffset(page, i) + leafKeyBytes(page, i);
    arena.set(page.bytes.subarray(start, start + length), offset);
    return true;
  }

  /** A page; those that the batch wants after it are read along. */
  #page(id: number, order: Float64Array, at: number): Page | undefined {
    if (id === 0) return this.#index.inline;
    const { pageBytes, source } = this.#view;
    if (id < this.#first || id >= this.#first + this.#pages) {
      const limit = id + Math.floor(RUN_BYTES / pageBytes) - 1;
      let last = id;
      for (let i = at + 1; i < order.length; i++) {
        const next = Math.floor((order[i] as number) / BATCH_ROWS_MAX);
        if (next > last + 1 + GAP_PAGES || next > limit) break;
        last = next;
      }
      this.#fill(id, last - id + 1);
    }
    const base = (id - this.#first) * pageBytes;
    if (id >= this.#first + this.#pages) {
      throw new CorruptionError(source.path, source.size(), `the file ends inside page ${id}`);
    }
    const pages = claimedOverflow(this.#slab.view, base) + 1;
    if (id + pages > this.#first + this.#pages) {
      if (id + pages > source.pgid) {
        const what = `page ${id} with ${pages - 1} overflow pages: out of bounds: ${source.pgid}`;
        throw new CorruptionError(source.path, id * pageBytes + 12, what);
      }
      this.#fill(id, pages);
      if (this.#pages < pages) {
        throw new CorruptionError(source.path, source.size(), `the file ends inside page ${id}`);
      }
      return this.#parsed(id, 0, pages);
    }
    return this.#parsed(id, base, pages);
  }

  #parsed(id: number, base: number, pages: number): Page {
    const { pageBytes, source } = this.#view;
    const { bytes, view } = this.#slab;
    const page = new Page(id, bytes, view, base, pages * pageBytes);
    return parsePage(page, source.path, id * pageBytes);
  }

  #fill(first: number, pages: number): void {
    const { pageBytes, source } = this.#view;
    const wanted = Math.min(pages * pageBytes, Math.max(0, source.size() - first * pageBytes));
    if (this.#slab.bytes.length < wanted) this.#slab = newSlab(wanted);
    const got = source.readSome(first * pageBytes, this.#slab.bytes.subarray(0, wanted));
    this.#first = first;
    this.#pages = Math.floor(got / pageBytes);
  }
}
