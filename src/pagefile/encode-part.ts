/**
 * The bytes of a page of a node, or of a part of one.
 *
 * What was not changed is copied in as few pieces as it lies in: its elements where they are at the same distance from
 * each other, and the keys and values behind them.
 * @see bbolt page.go, node.go write
 */
import { copyBytes, readU32, writeU32 } from "../base/bytes.ts";
import { type Entry, elementBytes, type Item, keyOffset, type Node, sizeOf } from "./node.ts";
import {
  BRANCH,
  ELEMENT_BYTES,
  LEAF,
  PAGE_HEADER_BYTES,
  type Page,
  writeBranchElement,
  writeLeafElement,
  writePageHeader,
} from "./page.ts";

/** Part of a node that gets a page of its own. */
export interface Part {
  readonly isLeaf: boolean;
  readonly items: readonly Entry[];
  /** Where the elements are that `items` has as numbers. */
  readonly page: Page | undefined;
  readonly from: number;
  readonly to: number;
  readonly sizeBytes: number;
}

export function partOf(node: Node, from: number, to: number): Part {
  const whole = from === 0 && to === node.items.length;
  const sizeBytes = whole ? node.sizeBytes : sizeOf(node, from, to);
  const { isLeaf, items, page } = node;
  return { isLeaf, items, page, from, to, sizeBytes };
}

/**
 * Writes a part as the page `pageId`, zeros after its last byte included.
 * @param pageId  0 for the page inside an inline bucket
 * @param length  bytes of the logical page: a multiple of the page size, or exactly the part's size when inline
 */
export function encodePart(
  part: Part,
  pageId: number,
  overflow: number,
  bytes: Uint8Array,
  view: DataView,
  base: number,
  length: number,
): void {
  const { items, from, to, isLeaf, page } = part;
  writePageHeader(view, base, pageId, isLeaf ? LEAF : BRANCH, to - from, overflow);
  const elements = new ElementWriter(bytes, view, isLeaf, base + PAGE_HEADER_BYTES, to - from);
  for (let i = from; i < to; ) {
    const entry = items[i] as Entry;
    if (typeof entry === "number") {
      const count = unchangedFrom(part, i, entry);
      elements.copy(page as Page, entry, count);
      i += count;
    } else {
      elements.add(entry);
      i++;
    }
  }
  bytes.fill(0, elements.end(), base + length);
}

/** How many elements from item `i` on are those of the page from `first` on, and lie there one behind the other. */
function unchangedFrom({ items, to, page }: Part, i: number, first: number): number {
  if (page === undefined || page.orderedBytes === 0) return 1;
  let end = i + 1;
  while (end < to && items[end] === first + (end - i)) end++;
  return end - i;
}

class ElementWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLeaf: boolean;
  /** Where the next element goes, and where its key does. */
  #at: number;
  #data: number;
  /** Keys and values that lie next to each other, not yet copied: where they are, and where they go. */
  #run: Uint8Array | undefined;
  #runOffset = 0;
  #runEnd = 0;
  #runTo = 0;

  /** @param at  of the first of `count` elements */
  constructor(bytes: Uint8Array, view: DataView, isLeaf: boolean, at: number, count: number) {
    this.#bytes = bytes;
    this.#view = view;
    this.#isLeaf = isLeaf;
    this.#at = at;
    this.#data = at + count * ELEMENT_BYTES;
  }

  add({ bytes, offset, keyBytes, valueBytes, flags, child }: Item): void {
    if (this.#isLeaf) {
      writeLeafElement(this.#view, this.#at, flags, this.#data, keyBytes, valueBytes);
    } else writeBranchElement(this.#view, this.#at, this.#data, keyBytes, child);
    this.#at += ELEMENT_BYTES;
    this.#take(bytes, offset, keyBytes + valueBytes);
  }

  /** Elements of a page as they are, from `first` on. More than one: the page is an ordered one. */
  copy(page: Page, first: number, count: number): void {
    const at = this.#at;
    const headersAt = page.base + PAGE_HEADER_BYTES + first * ELEMENT_BYTES;
    const offset = keyOffset(page, first);
    const last = first + count - 1;
    copyBytes(this.#bytes, at, page.bytes, headersAt, count * ELEMENT_BYTES);
    this.#at += count * ELEMENT_BYTES;
    // The distance to their keys is the same, unless something before them grew or shrank.
    const moved = this.#data - at - (offset - headersAt);
    if (moved !== 0) this.#move(at + (this.#isLeaf ? 4 : 0), moved);
    this.#take(page.bytes, offset, keyOffset(page, last) + elementBytes(page, last) - offset);
  }

  /** Copies what is left. @returns where the data end */
  end(): number {
    this.#flush();
    return this.#data;
  }

  #move(positionAt: number, moved: number): void {
    const view = this.#view;
    for (let at = positionAt; at < this.#at; at += ELEMENT_BYTES) {
      writeU32(view, at, readU32(view, at) + moved);
    }
  }

  #take(from: Uint8Array, offset: number, length: number): void {
    if (from !== this.#run || offset !== this.#runEnd) {
      this.#flush();
      this.#run = from;
      this.#runOffset = offset;
      this.#runTo = this.#data;
    }
    this.#runEnd = offset + length;
    this.#data += length;
  }

  #flush(): void {
    const run = this.#run;
    if (run === undefined) return;
    copyBytes(this.#bytes, this.#runTo, run, this.#runOffset, this.#runEnd - this.#runOffset);
  }
}
