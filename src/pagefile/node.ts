/**
 * A page taken apart for writing: its elements as a list that can be changed, and the way back to bytes.
 *
 * An item does not own its bytes. It points at key‖value where they already lie: in the page it came from, or in the
 * transaction's arena. Neighbours that lie next to each other are copied as one piece when the node is written.
 */
import { compareRanges, writeU16, writeU32, writeU64 } from "../base/bytes.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  branchChild,
  branchKeyBytes,
  branchKeyOffset,
  ELEMENT_BYTES,
  LEAF,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  PAGE_HEADER_BYTES,
  type Page,
} from "./page.ts";

/** bbolt's `minKeysPerPage`: no split leaves fewer elements on a page. */
const SPLIT_ELEMENTS_MIN = 2;

/** bbolt's `FillPercent` bounds, and its default. */
export const FILL_PERCENT_MIN = 0.1;
export const FILL_PERCENT_MAX = 1;
export const FILL_PERCENT_DEFAULT = 0.5;

/** One element. A leaf's value follows its key in `bytes`; a branch has `child` instead. */
export class Item {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Of a leaf element: BUCKET_ELEMENT or 0. */
  readonly flags: number;
  /** Of a branch element: the child's page id; 0 while the child has none. */
  readonly child: number;
  /** Of a branch element: the child taken apart, once it was needed. */
  node: Node | undefined = undefined;

  constructor(
    bytes: Uint8Array,
    offset: number,
    keyBytes: number,
    valueBytes: number,
    flags: number,
    child: number,
  ) {
    this.bytes = bytes;
    this.offset = offset;
    this.keyBytes = keyBytes;
    this.valueBytes = valueBytes;
    this.flags = flags;
    this.child = child;
  }

  get isBucket(): boolean {
    return (this.flags & BUCKET_ELEMENT) !== 0;
  }

  key(): Uint8Array {
    return this.bytes.subarray(this.offset, this.offset + this.keyBytes);
  }

  value(): Uint8Array {
    const at = this.offset + this.keyBytes;
    return this.bytes.subarray(at, at + this.valueBytes);
  }
}

export class Node {
  isLeaf: boolean;
  items: Item[];
  /** The page this node was read from, freed when it is written anew; 0 = none. */
  pageId: number;
  overflow: number;
  /** Something was taken out: it may be too small to stay alone. */
  unbalanced = false;
  /** Bytes it would take on one page. */
  sizeBytes: number;

  constructor(isLeaf: boolean, items: Item[], pageId: number, overflow: number) {
    this.isLeaf = isLeaf;
    this.items = items;
    this.pageId = pageId;
    this.overflow = overflow;
    this.sizeBytes = sizeOf(items, 0, items.length);
  }

  get count(): number {
    return this.items.length;
  }

  insert(at: number, item: Item): void {
    if (at === this.items.length) this.items.push(item);
    else this.items.splice(at, 0, item);
    this.sizeBytes += elementSize(item);
  }

  replace(at: number, item: Item): void {
    this.sizeBytes += elementSize(item) - elementSize(this.items[at] as Item);
    this.items[at] = item;
  }

  remove(at: number): void {
    this.sizeBytes -= elementSize(this.items[at] as Item);
    this.items.splice(at, 1);
    this.unbalanced = true;
  }

  setItems(items: Item[]): void {
    this.items = items;
    this.sizeBytes = sizeOf(items, 0, items.length);
  }
}

export function elementSize(item: Item): number {
  return ELEMENT_BYTES + item.keyBytes + item.valueBytes;
}

function sizeOf(items: readonly Item[], from: number, to: number): number {
  let bytes = PAGE_HEADER_BYTES;
  for (let i = from; i < to; i++) bytes += elementSize(items[i] as Item);
  return bytes;
}

/** Takes apart a page that `parsePage` let through. */
export function nodeOfPage(page: Page): Node {
  const { count, bytes } = page;
  const items: Item[] = new Array<Item>(count);
  if (page.isLeaf) {
    for (let i = 0; i < count; i++) {
      items[i] = new Item(
        bytes,
        leafKeyOffset(page, i),
        leafKeyBytes(page, i),
        leafValueBytes(page, i),
        leafFlags(page, i),
        0,
      );
    }
    return new Node(true, items, page.id, page.overflow);
  }
  for (let i = 0; i < count; i++) {
    const offset = branchKeyOffset(page, i);
    items[i] = new Item(bytes, offset, branchKeyBytes(page, i), 0, 0, branchChild(page, i));
  }
  // A branch without children holds nothing: it is an empty leaf that lost its name.
  const node = new Node(count === 0, items, page.id, page.overflow);
  node.unbalanced = count === 0;
  return node;
}

/** The first i whose key is ≥ `key`, or `~i` of the place it would take. */
export function searchNodeLeaf(node: Node, key: Uint8Array): number {
  const { items } = node;
  let low = 0;
  let high = items.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const item = items[middle] as Item;
    const order = compareRanges(item.bytes, item.offset, item.keyBytes, key, 0, key.length);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** The child under which `key` belongs: the greatest i whose key is ≤ `key`, or 0. */
export function searchNodeBranch(node: Node, key: Uint8Array): number {
  const { items } = node;
  let low = 1;
  let high = items.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const item = items[middle] as Item;
    const order = compareRanges(item.bytes, item.offset, item.keyBytes, key, 0, key.length);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return low - 1;
}

/**
 * Where to cut a node into pages: the ends of the parts, the last one being `items.length`.
 *
 * A node is cut only if it has more than four elements and does not fit a page; then each part takes elements up to
 * `fillPercent` of a page, at least two, and at least two are left for the next.
 * @see bbolt node.go split, splitIndex
 */
export function splitEnds(node: Node, pageBytes: number, fillPercent: number): number[] {
  const { items } = node;
  const ends: number[] = [];
  const percent = Math.min(Math.max(fillPercent, FILL_PERCENT_MIN), FILL_PERCENT_MAX);
  const threshold = Math.floor(pageBytes * percent);
  let from = 0;
  let left = node.sizeBytes;
  while (items.length - from > 2 * SPLIT_ELEMENTS_MIN && left >= pageBytes) {
    let size = PAGE_HEADER_BYTES;
    let at = from;
    for (; at < items.length - SPLIT_ELEMENTS_MIN; at++) {
      const element = elementSize(items[at] as Item);
      if (at - from >= SPLIT_ELEMENTS_MIN && size + element > threshold) break;
      size += element;
    }
    ends.push(at);
    left -= size - PAGE_HEADER_BYTES;
    from = at;
  }
  ends.push(items.length);
  return ends;
}

/** Part of a node that gets a page of its own. */
export interface Part {
  readonly isLeaf: boolean;
  readonly items: readonly Item[];
  readonly from: number;
  readonly to: number;
  readonly sizeBytes: number;
}

export function partOf(node: Node, from: number, to: number): Part {
  const whole = from === 0 && to === node.items.length;
  const sizeBytes = whole ? node.sizeBytes : sizeOf(node.items, from, to);
  return { isLeaf: node.isLeaf, items: node.items, from, to, sizeBytes };
}

/** Below this, a byte loop beats making a view and calling `set`. */
const COPY_LOOP_MAX = 48;

/** Copies `length` bytes between buffers that may not overlap. */
export function copyBytes(
  to: Uint8Array,
  toOffset: number,
  from: Uint8Array,
  fromOffset: number,
  length: number,
): void {
  if (length <= COPY_LOOP_MAX) {
    for (let i = 0; i < length; i++) to[toOffset + i] = from[fromOffset + i] as number;
  } else {
    to.set(from.subarray(fromOffset, fromOffset + length), toOffset);
  }
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
  const { items, from, to, isLeaf } = part;
  const count = to - from;
  writeU64(view, base, pageId);
  writeU16(view, base + 8, isLeaf ? LEAF : BRANCH);
  writeU16(view, base + 10, count);
  writeU32(view, base + 12, overflow);
  let header = base + PAGE_HEADER_BYTES;
  let data = header + count * ELEMENT_BYTES;
  // A run of items that lie next to each other, not yet copied.
  let runBytes: Uint8Array | undefined;
  let runOffset = 0;
  let runEnd = 0;
  let runTo = data;
  for (let i = from; i < to; i++) {
    const item = items[i] as Item;
    const itemBytes = item.keyBytes + item.valueBytes;
    if (isLeaf) {
      writeU32(view, header, item.flags);
      writeU32(view, header + 4, data - header);
      writeU32(view, header + 8, item.keyBytes);
      writeU32(view, header + 12, item.valueBytes);
    } else {
      writeU32(view, header, data - header);
      writeU32(view, header + 4, item.keyBytes);
      writeU64(view, header + 8, item.child);
    }
    if (item.bytes !== runBytes || item.offset !== runEnd) {
      if (runBytes !== undefined) copyBytes(bytes, runTo, runBytes, runOffset, runEnd - runOffset);
      runBytes = item.bytes;
      runOffset = item.offset;
      runTo = data;
    }
    runEnd = item.offset + itemBytes;
    header += ELEMENT_BYTES;
    data += itemBytes;
  }
  if (runBytes !== undefined) copyBytes(bytes, runTo, runBytes, runOffset, runEnd - runOffset);
  bytes.fill(0, data, base + length);
}
