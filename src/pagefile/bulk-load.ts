/**
 * Building a bucket's pages directly from elements that come in order: no tree of nodes, no second pass, every page
 * written once and full to the mark.
 *
 * A page takes elements up to `fillPercent` of its size, at least two (as bbolt's spill would cut them). Branches are
 * built as their children are finished; one page a level is held back, so that no branch is left with a single child.
 */
import { copyBytes, viewOf, writeU64, writeU64Big } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import { TREE_DEPTH_MAX } from "../base/limits.ts";
import { BUCKET_HEADER_BYTES } from "./bucket.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  ELEMENT_BYTES,
  LEAF,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  PAGE_HEADER_BYTES,
  type Page,
  writeBranchElement,
  writeLeafElement,
  writePageHeader,
} from "./page.ts";
import type { PageOutput } from "./page-output.ts";

const SPLIT_ELEMENTS_MIN = 2;

/** Elements of one page, not yet written. */
class PageDraft {
  readonly isLeaf: boolean;
  count = 0;
  /** Keys and values (of a branch: keys), packed. */
  data: Uint8Array;
  dataBytes = 0;
  keyBytes = new Uint32Array(64);
  /** Of a leaf. */
  valueBytes = new Uint32Array(64);
  flags = new Uint8Array(64);
  /** Of a branch. */
  children = new Float64Array(64);

  constructor(isLeaf: boolean, pageBytes: number) {
    this.isLeaf = isLeaf;
    this.data = new Uint8Array(2 * pageBytes);
  }

  get sizeBytes(): number {
    return PAGE_HEADER_BYTES + this.count * ELEMENT_BYTES + this.dataBytes;
  }

  clear(): void {
    this.count = 0;
    this.dataBytes = 0;
  }

  /** Makes room for one more element with that much data. */
  reserve(bytes: number): void {
    if (this.count === this.keyBytes.length) {
      const capacity = this.count * 2;
      this.keyBytes = larger(this.keyBytes, new Uint32Array(capacity));
      this.valueBytes = larger(this.valueBytes, new Uint32Array(capacity));
      this.flags = larger(this.flags, new Uint8Array(capacity));
      this.children = larger(this.children, new Float64Array(capacity));
    }
    if (this.dataBytes + bytes > this.data.length) {
      const data = new Uint8Array(Math.max(this.data.length * 2, this.dataBytes + bytes));
      data.set(this.data.subarray(0, this.dataBytes));
      this.data = data;
    }
  }

  /** Gives its last element to the front of `other`. */
  moveLastTo(other: PageDraft): void {
    const last = this.count - 1;
    const length = this.keyBytes[last] as number;
    other.reserve(length);
    other.data.copyWithin(length, 0, other.dataBytes);
    other.data.set(this.data.subarray(this.dataBytes - length, this.dataBytes), 0);
    other.keyBytes.copyWithin(1, 0, other.count);
    other.children.copyWithin(1, 0, other.count);
    other.keyBytes[0] = length;
    other.children[0] = this.children[last] as number;
    other.count++;
    other.dataBytes += length;
    this.count--;
    this.dataBytes -= length;
  }

  encode(
    id: number,
    overflow: number,
    bytes: Uint8Array,
    view: DataView,
    base: number,
    length: number,
  ): void {
    const { count, isLeaf, dataBytes } = this;
    writePageHeader(view, base, id, isLeaf ? LEAF : BRANCH, count, overflow);
    let header = base + PAGE_HEADER_BYTES;
    let data = header + count * ELEMENT_BYTES;
    copyBytes(bytes, data, this.data, 0, dataBytes);
    bytes.fill(0, data + dataBytes, base + length);
    for (let i = 0; i < count; i++) {
      const keyBytes = this.keyBytes[i] as number;
      if (isLeaf) {
        const valueBytes = this.valueBytes[i] as number;
        writeLeafElement(view, header, this.flags[i] as number, data, keyBytes, valueBytes);
        data += keyBytes + valueBytes;
      } else {
        writeBranchElement(view, header, data, keyBytes, this.children[i] as number);
        data += keyBytes;
      }
      header += ELEMENT_BYTES;
    }
  }
}

function larger<A extends Uint32Array | Uint8Array | Float64Array>(old: A, fresh: A): A {
  fresh.set(old);
  return fresh;
}

interface BranchLevel {
  /** Full, and waiting for its right neighbour to have two children. */
  held: PageDraft | undefined;
  current: PageDraft;
}

/** One bucket being built. Elements come in ascending order of keys; the caller sees to that. */
export class BulkLoader {
  readonly #output: PageOutput;
  readonly #thresholdBytes: number;
  readonly #leaf: PageDraft;
  readonly #levels: BranchLevel[] = [];
  #hasBuckets = false;
  #leafPages = 0;

  constructor(output: PageOutput, fillPercent: number) {
    this.#output = output;
    this.#thresholdBytes = Math.floor(output.pageBytes * fillPercent);
    this.#leaf = new PageDraft(true, output.pageBytes);
  }

  /** Adds an element whose value follows its key in `bytes`. */
  add(
    bytes: Uint8Array,
    offset: number,
    keyBytes: number,
    valueBytes: number,
    flags: number,
  ): void {
    this.#makeRoom(keyBytes + valueBytes);
    const at = this.#append(keyBytes, valueBytes, flags);
    copyBytes(this.#leaf.data, at, bytes, offset, keyBytes + valueBytes);
    if ((flags & BUCKET_ELEMENT) !== 0) this.#hasBuckets = true;
  }

  /** Adds every element of a leaf page that holds no buckets; elements that lie side by side are copied as one. */
  addPage(page: Page): void {
    const leaf = this.#leaf;
    const { bytes, count } = page;
    let runFrom = 0;
    let runEnd = -1;
    let runTo = 0;
    for (let i = 0; i < count; i++) {
      const offset = leafKeyOffset(page, i);
      const keyBytes = leafKeyBytes(page, i);
      const valueBytes = leafValueBytes(page, i);
      const length = keyBytes + valueBytes;
      const cut = this.#isFull(length);
      if (offset !== runEnd || cut) {
        if (runEnd > runFrom) this.#copy(runTo, bytes, runFrom, runEnd - runFrom);
        if (cut) this.#flushLeaf();
        runFrom = offset;
        runTo = leaf.dataBytes;
      }
      this.#append(keyBytes, valueBytes, leafFlags(page, i));
      runEnd = offset + length;
    }
    if (runEnd > runFrom) this.#copy(runTo, bytes, runFrom, runEnd - runFrom);
  }

  #isFull(length: number): boolean {
    const leaf = this.#leaf;
    if (leaf.count < SPLIT_ELEMENTS_MIN) return false;
    return leaf.sizeBytes + ELEMENT_BYTES + length > this.#thresholdBytes;
  }

  #makeRoom(length: number): void {
    if (this.#isFull(length)) this.#flushLeaf();
  }

  /** @returns where the element's bytes belong in the draft's data; they are copied later, maybe with others */
  #append(keyBytes: number, valueBytes: number, flags: number): number {
    const leaf = this.#leaf;
    const at = leaf.dataBytes;
    leaf.reserve(keyBytes + valueBytes);
    leaf.keyBytes[leaf.count] = keyBytes;
    leaf.valueBytes[leaf.count] = valueBytes;
    leaf.flags[leaf.count] = flags;
    leaf.count++;
    leaf.dataBytes += keyBytes + valueBytes;
    return at;
  }

  /** In a dry run only the first key of a page is ever looked at. */
  #copy(to: number, bytes: Uint8Array, from: number, length: number): void {
    const leaf = this.#leaf;
    if (!this.#output.dry) copyBytes(leaf.data, to, bytes, from, length);
    else if (to === 0) copyBytes(leaf.data, 0, bytes, from, leaf.keyBytes[0] as number);
  }

  /**
   * Ends the bucket.
   * @param mayBeInline  false for the root bucket
   * @returns the id of its root page, or the bucket's whole value when it is inline
   */
  finish(mayBeInline: boolean, sequence: bigint): number | Uint8Array {
    const leaf = this.#leaf;
    const { pageBytes } = this.#output;
    if (
      mayBeInline &&
      this.#leafPages === 0 &&
      !this.#hasBuckets &&
      leaf.sizeBytes <= Math.floor(pageBytes / 4)
    ) {
      const value = new Uint8Array(BUCKET_HEADER_BYTES + leaf.sizeBytes);
      const view = viewOf(value);
      writeU64(view, 0, 0);
      writeU64Big(view, 8, sequence);
      if (!this.#output.dry) leaf.encode(0, 0, value, view, BUCKET_HEADER_BYTES, leaf.sizeBytes);
      return value;
    }
    if (this.#leafPages === 0) return this.#write(leaf);
    if (leaf.count > 0) this.#flushLeaf();
    for (let level = 0; ; level++) {
      const here = this.#levels[level];
      invariant(here !== undefined, "a level that has a page has a level above it", { level });
      if (here.held === undefined) {
        if (here.current.count === 1 && level > 0) return here.current.children[0] as number;
        return this.#write(here.current);
      }
      if (here.current.count < SPLIT_ELEMENTS_MIN && here.held.count > SPLIT_ELEMENTS_MIN) {
        here.held.moveLastTo(here.current);
      }
      this.#toParent(level + 1, here.held, this.#write(here.held));
      this.#toParent(level + 1, here.current, this.#write(here.current));
    }
  }

  #flushLeaf(): void {
    const id = this.#write(this.#leaf);
    this.#leafPages++;
    this.#toParent(0, this.#leaf, id);
    this.#leaf.clear();
  }

  /** Hangs a written page under its parent. */
  #toParent(level: number, page: PageDraft, id: number): void {
    invariant(level < TREE_DEPTH_MAX, "a tree grows by halves, not without end", { level });
    const { pageBytes } = this.#output;
    this.#levels[level] ??= { held: undefined, current: new PageDraft(false, pageBytes) };
    const here = this.#levels[level] as BranchLevel;
    const keyBytes = page.keyBytes[0] as number;
    const { current } = here;
    const after = current.sizeBytes + ELEMENT_BYTES + keyBytes;
    if (current.count >= SPLIT_ELEMENTS_MIN && after > this.#thresholdBytes) {
      const full = here.held;
      here.held = current;
      if (full !== undefined) this.#toParent(level + 1, full, this.#write(full));
      full?.clear();
      here.current = full ?? new PageDraft(false, pageBytes);
    }
    const draft = here.current;
    draft.reserve(keyBytes);
    copyBytes(draft.data, draft.dataBytes, page.data, 0, keyBytes);
    draft.keyBytes[draft.count] = keyBytes;
    draft.children[draft.count] = id;
    draft.count++;
    draft.dataBytes += keyBytes;
  }

  #write(page: PageDraft): number {
    const { pageBytes, dry } = this.#output;
    const pages = Math.ceil(page.sizeBytes / pageBytes);
    if (dry) return this.#output.count(pages);
    const { id, bytes, view, base } = this.#output.room(pages);
    page.encode(id, pages - 1, bytes, view, base, pages * pageBytes);
    return id;
  }
}
