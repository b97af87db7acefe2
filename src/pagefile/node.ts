/**
 * A page taken apart for writing: its elements as a list that can be changed. encode-part.ts is the way back to bytes.
 *
 * Most elements of a page that is changed are not: each is only its number in the page until somebody asks for more.
 *
 * An item does not own its bytes. It points at key‖value where they already lie: in the page it came from, or in the
 * transaction's arena. Neighbours that lie next to each other are copied as one piece when the node is written.
 */
import { compareRanges } from "../base/bytes.ts";
import {
  BUCKET_ELEMENT,
  branchChild,
  branchKeyBytes,
  branchKeyOffset,
  compareSought,
  ELEMENT_BYTES,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  PAGE_HEADER_BYTES,
  type Page,
  seekKey,
} from "./page.ts";

const NO_BYTES = new Uint8Array(0);

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

/** An item, or the number of an element in the node's page. */
export type Entry = Item | number;

export class Node {
  isLeaf: boolean;
  /** In key order. */
  items: Entry[];
  /** Where the elements are that `items` has as numbers. */
  readonly page: Page | undefined;
  /** The page this node was read from, freed when it is written anew; 0 = none. */
  pageId: number;
  overflow: number;
  /** Something was taken out: it may be too small to stay alone. */
  unbalanced = false;
  /** Bytes it would take on one page. */
  sizeBytes: number;

  constructor(isLeaf: boolean, items: Entry[], page?: Page) {
    this.isLeaf = isLeaf;
    this.items = items;
    this.page = page;
    this.pageId = page?.id ?? 0;
    this.overflow = page?.overflow ?? 0;
    const known = page?.count === items.length ? page.orderedBytes : 0;
    this.sizeBytes = known || sizeOf(this, 0, items.length);
  }

  get count(): number {
    return this.items.length;
  }

  /** Element `i`, 0 ≤ i < count. */
  item(i: number): Item {
    const entry = this.items[i] as Entry;
    if (typeof entry !== "number") return entry;
    const item = itemOfPage(this.page as Page, entry);
    this.items[i] = item;
    return item;
  }

  /** The child under element `i` of a branch, if it was taken apart. */
  childNode(i: number): Node | undefined {
    const entry = this.items[i] as Entry;
    return typeof entry === "number" ? undefined : entry.node;
  }

  insert(at: number, item: Item): void {
    if (at === this.items.length) this.items.push(item);
    else this.items.splice(at, 0, item);
    this.sizeBytes += itemSize(item);
  }

  replace(at: number, item: Item): void {
    this.sizeBytes += itemSize(item) - elementSize(this, at);
    this.items[at] = item;
  }

  remove(at: number): void {
    this.sizeBytes -= elementSize(this, at);
    this.items.splice(at, 1);
    this.unbalanced = true;
  }

  /** @param items  numbers among them are of this node's page */
  setItems(items: Entry[]): void {
    this.items = items;
    this.sizeBytes = sizeOf(this, 0, items.length);
  }

  /** Takes over the elements of a node whose keys all follow. */
  append(from: Node): void {
    for (let i = 0; i < from.count; i++) this.items.push(from.item(i));
    this.sizeBytes += from.sizeBytes - PAGE_HEADER_BYTES;
  }
}

function itemSize(item: Item): number {
  return ELEMENT_BYTES + item.keyBytes + item.valueBytes;
}

/** Bytes that element `i` takes on a page. */
export function elementSize(node: Node, i: number): number {
  const entry = node.items[i] as Entry;
  if (typeof entry !== "number") return itemSize(entry);
  return ELEMENT_BYTES + elementBytes(node.page as Page, entry);
}

/** Bytes of key and value of an element. */
export function elementBytes(page: Page, i: number): number {
  return page.isLeaf ? leafKeyBytes(page, i) + leafValueBytes(page, i) : branchKeyBytes(page, i);
}

/** Of an element, in `page.bytes`. */
export function keyOffset(page: Page, i: number): number {
  return page.isLeaf ? leafKeyOffset(page, i) : branchKeyOffset(page, i);
}

/** Bytes of a page with some of its elements. */
export function sizeOf(node: Node, from: number, to: number): number {
  let bytes = PAGE_HEADER_BYTES;
  for (let i = from; i < to; i++) bytes += elementSize(node, i);
  return bytes;
}

function itemOfPage(page: Page, i: number): Item {
  const { bytes } = page;
  if (!page.isLeaf) {
    const offset = branchKeyOffset(page, i);
    return new Item(bytes, offset, branchKeyBytes(page, i), 0, 0, branchChild(page, i));
  }
  const offset = leafKeyOffset(page, i);
  const flags = leafFlags(page, i);
  return new Item(bytes, offset, leafKeyBytes(page, i), leafValueBytes(page, i), flags, 0);
}

/** The branch element that leads to page `child`, whose first element is `i` of this node. */
export function separatorOf(node: Node, i: number, child: number): Item {
  const entry = node.items[i];
  if (entry === undefined) return new Item(NO_BYTES, 0, 0, 0, 0, child);
  if (typeof entry !== "number") {
    return new Item(entry.bytes, entry.offset, entry.keyBytes, 0, 0, child);
  }
  const page = node.page as Page;
  const offset = page.isLeaf ? leafKeyOffset(page, entry) : branchKeyOffset(page, entry);
  const keyBytes = page.isLeaf ? leafKeyBytes(page, entry) : branchKeyBytes(page, entry);
  return new Item(page.bytes, offset, keyBytes, 0, 0, child);
}

/** Whether some element is a bucket. */
export function holdsBucket(node: Node): boolean {
  return node.items.some((entry) =>
    typeof entry === "number"
      ? (leafFlags(node.page as Page, entry) & BUCKET_ELEMENT) !== 0
      : entry.isBucket,
  );
}

/** Takes apart a page that `parsePage` let through. */
export function nodeOfPage(page: Page): Node {
  const { count } = page;
  const items: Entry[] = [];
  for (let i = 0; i < count; i++) items.push(i);
  // A branch without children holds nothing: it is an empty leaf that lost its name.
  const node = new Node(page.isLeaf || count === 0, items, page);
  node.unbalanced = !page.isLeaf && count === 0;
  return node;
}

/** Order of an element's key and the one that is searched for, which `seekKey` was told. */
function compareEntry(node: Node, entry: Entry, key: Uint8Array): number {
  if (typeof entry !== "number") {
    return compareRanges(entry.bytes, entry.offset, entry.keyBytes, key, 0, key.length);
  }
  const page = node.page as Page;
  const { bytes, view } = page;
  if (page.isLeaf) {
    return compareSought(bytes, view, leafKeyOffset(page, entry), leafKeyBytes(page, entry));
  }
  return compareSought(bytes, view, branchKeyOffset(page, entry), branchKeyBytes(page, entry));
}

/** The first i whose key is ≥ `key`, or `~i` of the place it would take. */
export function searchNodeLeaf(node: Node, key: Uint8Array): number {
  const { items } = node;
  seekKey(key);
  let low = 0;
  let high = items.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareEntry(node, items[middle] as Entry, key);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** The child under which `key` belongs: the greatest i whose key is ≤ `key`, or 0. */
export function searchNodeBranch(node: Node, key: Uint8Array): number {
  const { items } = node;
  seekKey(key);
  let low = 1;
  let high = items.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareEntry(node, items[middle] as Entry, key);
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
      const element = elementSize(node, at);
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
