/**
 * One page as bytes in memory, and the elements in it, read in place.
 *
 *      0         8       10      12             16
 *      | id: u64 | flags | count | overflow: u32 | elements …                 little-endian
 *
 *      leaf element    | flags: u32 | pos: u32 | ksize: u32 | vsize: u32 |    flags 1 = the value is a bucket
 *      branch element  | pos: u32 | ksize: u32 | child page id: u64      |
 *
 * `pos` counts from the element's own first byte to its key; a leaf's value follows its key directly.
 * The format is bbolt's (`internal/common/page.go`), docs/format.md has it whole.
 */
import {
  compareRanges,
  readU16,
  readU32,
  readU32BE,
  readU64,
  wordAt,
  writeU16,
  writeU32,
  writeU64,
} from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";

const ID = 0;
const FLAGS = ID + 8;
const COUNT = FLAGS + 2;
const OVERFLOW = COUNT + 2;
export const PAGE_HEADER_BYTES: number = OVERFLOW + 4;
export const ELEMENT_BYTES = 16;
invariant(PAGE_HEADER_BYTES === 16, "a page header is 16 bytes on disk");

export const BRANCH = 0x01;
export const LEAF = 0x02;
export const META = 0x04;
export const FREELIST = 0x10;

/** Flag of a leaf element whose value is a bucket. */
export const BUCKET_ELEMENT = 0x01;

/** bbolt's name of a page's type, as its messages print it. */
export function pageTypeName(flags: number): string {
  switch (flags) {
    case BRANCH:
      return "branch";
    case LEAF:
      return "leaf";
    case META:
      return "meta";
    case FREELIST:
      return "freelist";
    default:
      return `unknown<${flags.toString(16).padStart(2, "0")}>`;
  }
}

/**
 * A logical page (its overflow pages included) inside a buffer that may hold others. Immutable: the bytes of a page
 * that was parsed are never written again, so views into it stay true as long as they are held.
 */
export class Page {
  /** The page's number, 0 for the page inside an inline bucket. */
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  /** Extra pages that belong to this one. */
  readonly overflow: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the page starts in `bytes`. */
  readonly base: number;
  /** Bytes of the logical page. */
  readonly length: number;
  /**
   * Bytes from the page's start to the end of its last element, if the keys and values lie one behind the other in the
   * order of the elements, as who writes pages puts them. 0: they do not, or nobody has looked.
   */
  orderedBytes = 0;

  constructor(id: number, bytes: Uint8Array, view: DataView, base: number, length: number) {
    this.id = id;
    this.bytes = bytes;
    this.view = view;
    this.base = base;
    this.length = length;
    this.flags = readU16(view, base + FLAGS);
    this.count = readU16(view, base + COUNT);
    this.overflow = readU32(view, base + OVERFLOW);
  }

  get isLeaf(): boolean {
    return this.flags === LEAF;
  }

  /** The same page in another buffer. */
  movedTo(bytes: Uint8Array, view: DataView, base: number): Page {
    const page = new Page(this.id, bytes, view, base, this.length);
    page.orderedBytes = this.orderedBytes;
    return page;
  }
}

/** The overflow count that the header at `base` claims. Not yet to be trusted. */
export function claimedOverflow(view: DataView, base: number): number {
  return readU32(view, base + OVERFLOW);
}

/** The id that the header at `base` claims. */
export function claimedId(view: DataView, base: number): number {
  return readU64(view, base + ID);
}

/** The flags that the header at `base` claims. */
export function claimedFlags(view: DataView, base: number): number {
  return readU16(view, base + FLAGS);
}

/** The number of elements that the header at `base` claims. */
export function claimedCount(view: DataView, base: number): number {
  return readU16(view, base + COUNT);
}

/**
 * What is wrong with a page's header and elements, or undefined. After `undefined`, every element of a branch or leaf
 * lies inside the page, so that readers need no check of their own, and its `orderedBytes` are known.
 *
 * @param where  receives the offset of the fault from the start of the page, in bytes
 */
export function pageFault(page: Page, where: { offsetBytes: number }): string | undefined {
  const { view, base, length, flags, count } = page;
  const id = claimedId(view, base);
  where.offsetBytes = ID;
  if (id !== page.id) return `Page expected to be: ${page.id}, but self identifies as ${id}`;
  where.offsetBytes = FLAGS;
  if (flags !== BRANCH && flags !== LEAF && flags !== META && flags !== FREELIST) {
    return `page ${page.id}: has unexpected type/flags: ${flags.toString(16)}`;
  }
  if (flags === META || flags === FREELIST) return undefined;
  where.offsetBytes = COUNT;
  const room = length - PAGE_HEADER_BYTES - count * ELEMENT_BYTES;
  if (room < 0) {
    return `page ${page.id}: ${count} elements do not fit into ${length} bytes`;
  }
  // Element fields are read by hand: this loop sees every element of every page that is read.
  const keyField = flags === LEAF ? 8 : 4;
  const end = base + length;
  let taken = length - room;
  let isOrdered = count > 0;
  let next = base + taken;
  for (let i = 0, at = base + PAGE_HEADER_BYTES; i < count; i++, at += ELEMENT_BYTES) {
    const pos = readU32(view, at + keyField - 4);
    let bytes = readU32(view, at + keyField);
    if (keyField === 8) bytes += readU32(view, at + 12);
    taken += bytes;
    isOrdered &&= at + pos === next;
    next += bytes;
    if (at + pos + bytes > end) {
      where.offsetBytes = at - base;
      return `page ${page.id}: element ${i} of ${count} reaches ${at - base + pos + bytes} bytes into a page of ${length}`;
    }
  }
  if (taken > length) {
    // Bytes that several elements share would be read, and written, once for each.
    where.offsetBytes = COUNT;
    return `page ${page.id}: its ${count} elements take ${taken} bytes of a page of ${length}`;
  }
  page.orderedBytes = isOrdered ? taken : 0;
  return undefined;
}

const fault = { offsetBytes: 0 };

/**
 * The page, if it can be trusted.
 * @param offsetBytes  where the page lies in the file, for the error
 * @throws CorruptionError naming the first thing that the format does not allow
 */
export function parsePage(page: Page, path: string, offsetBytes: number): Page {
  const what = pageFault(page, fault);
  if (what !== undefined) throw new CorruptionError(path, offsetBytes + fault.offsetBytes, what);
  return page;
}

// The accessors below take a page that `parsePage` let through and 0 ≤ i < page.count.

export function leafFlags(page: Page, i: number): number {
  return readU32(page.view, page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES);
}

/** Offset of the key in `page.bytes`; the value follows at `+ leafKeyBytes`. */
export function leafKeyOffset(page: Page, i: number): number {
  const at = page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
  return at + readU32(page.view, at + 4);
}

export function leafKeyBytes(page: Page, i: number): number {
  return readU32(page.view, page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES + 8);
}

export function leafValueBytes(page: Page, i: number): number {
  return readU32(page.view, page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES + 12);
}

export function branchKeyOffset(page: Page, i: number): number {
  const at = page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
  return at + readU32(page.view, at);
}

export function branchKeyBytes(page: Page, i: number): number {
  return readU32(page.view, page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES + 4);
}

/** Child page id; rounded when it is 2^53 or more, which no file that fits a disk has. */
export function branchChild(page: Page, i: number): number {
  return readU64(page.view, page.base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES + 8);
}

// The way back: every byte of a header or an element, at `base` or `at` in a buffer.

export function writePageHeader(
  view: DataView,
  base: number,
  id: number,
  flags: number,
  count: number,
  overflow: number,
): void {
  writeU64(view, base + ID, id);
  writeU16(view, base + FLAGS, flags);
  writeU16(view, base + COUNT, count);
  writeU32(view, base + OVERFLOW, overflow);
}

/** @param keyAt  where in the buffer the key lies, behind the element */
export function writeLeafElement(
  view: DataView,
  at: number,
  flags: number,
  keyAt: number,
  keyBytes: number,
  valueBytes: number,
): void {
  writeU32(view, at, flags);
  writeU32(view, at + 4, keyAt - at);
  writeU32(view, at + 8, keyBytes);
  writeU32(view, at + 12, valueBytes);
}

/** @param keyAt  as for a leaf's */
export function writeBranchElement(
  view: DataView,
  at: number,
  keyAt: number,
  keyBytes: number,
  child: number,
): void {
  writeU32(view, at, keyAt - at);
  writeU32(view, at + 4, keyBytes);
  writeU64(view, at + 8, child);
}

// Reading a page whose bytes are at `base`, without an object for it.

export function branchChildAt(view: DataView, base: number, i: number): number {
  return readU64(view, base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES + 8);
}

/** The value of an element as a view; undefined if it is a bucket. */
export function leafValueAt(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
): Uint8Array | undefined {
  const at = base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
  if ((readU32(view, at) & BUCKET_ELEMENT) !== 0) return undefined;
  const start = at + readU32(view, at + 4) + readU32(view, at + 8);
  return bytes.subarray(start, start + readU32(view, at + 12));
}

/** Keys of at least this many bytes are compared by their first two words before anything else. */
const HEAD_BYTES = 8;

/**
 * A key that is searched for, with its first two words: most keys part company there, and two reads cost a third of a
 * loop over eight bytes. One object serves all searches, since no search begins inside another.
 */
class Sought {
  key: Uint8Array = new Uint8Array(0);
  /** Whether the words are there. */
  long = false;
  /** Signed, so that they stay small integers to the engine; compared as unsigned. */
  word0 = 0;
  word1 = 0;
  /**
   * The words of the separators on both sides of the page under search, as one number each: NaN while not known. A
   * log's keys are spread evenly between them, so that a guess is nearly always right, where halving costs a miss in
   * the processor's caches at each of its steps.
   */
  lower: number = Number.NaN;
  upper: number = Number.NaN;

  set(key: Uint8Array): void {
    this.key = key;
    this.lower = Number.NaN;
    this.upper = Number.NaN;
    this.long = key.length >= HEAD_BYTES;
    if (!this.long) return;
    this.word0 = wordAt(key, 0) | 0;
    this.word1 = wordAt(key, 4) | 0;
  }
}

const sought = new Sought();

/** Sets the key that `findInLeaf`, `findInBranch` and `compareSought` look for. */
export function seekKey(key: Uint8Array): void {
  sought.set(key);
}

/** Order of a key in a page and the one of `seekKey`. */
export function compareSought(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  keyBytes: number,
): number {
  const { key } = sought;
  if (!sought.long || keyBytes < HEAD_BYTES) {
    return compareRanges(bytes, offset, keyBytes, key, 0, key.length);
  }
  const word0 = readU32BE(view, offset) | 0;
  if (word0 !== sought.word0) return word0 >>> 0 < sought.word0 >>> 0 ? -1 : 1;
  const word1 = readU32BE(view, offset + 4) | 0;
  if (word1 !== sought.word1) return word1 >>> 0 < sought.word1 >>> 0 ? -1 : 1;
  return compareRanges(
    bytes,
    offset + HEAD_BYTES,
    keyBytes - HEAD_BYTES,
    key,
    HEAD_BYTES,
    key.length - HEAD_BYTES,
  );
}

/** Where to look first among `count` elements, -1 if nothing is known. */
function firstGuess(count: number): number {
  const { lower, upper, word0, word1 } = sought;
  const part = ((word0 >>> 0) * 2 ** 32 + (word1 >>> 0) - lower) / (upper - lower);
  return part >= 0 && part < 1 ? Math.floor(part * count) : -1;
}

/** The first i whose key is ≥ the one of `seekKey`, or `~i` of the place it would take when it is not there. */
export function findInLeaf(bytes: Uint8Array, view: DataView, base: number): number {
  const count = readU16(view, base + COUNT);
  const guess = firstGuess(count);
  let low = 0;
  let high = count - 1;
  let look = guess >= 0 ? guess : high >>> 1;
  for (let near = guess >= 0; low <= high; near = false) {
    const at = base + PAGE_HEADER_BYTES + look * ELEMENT_BYTES;
    const order = compareSought(bytes, view, at + readU32(view, at + 4), readU32(view, at + 8));
    if (order === 0) return look;
    if (order < 0) low = look + 1;
    else high = look - 1;
    // A guess that is wrong is wrong by one.
    look = !near ? (low + high) >>> 1 : order < 0 ? low : high;
  }
  return ~low;
}

/** The child under which the key of `seekKey` belongs: the greatest i whose key is ≤ it, or 0. */
export function findInBranch(bytes: Uint8Array, view: DataView, base: number): number {
  const count = readU16(view, base + COUNT);
  const guess = firstGuess(count);
  let low = 1;
  let high = count - 1;
  let look = guess >= 0 ? Math.max(1, guess) : (low + high) >>> 1;
  for (let near = guess >= 0; low <= high; near = false) {
    const at = base + PAGE_HEADER_BYTES + look * ELEMENT_BYTES;
    const order = compareSought(bytes, view, at + readU32(view, at), readU32(view, at + 4));
    if (order === 0) return look;
    if (order < 0) low = look + 1;
    else high = look - 1;
    look = !near ? (low + high) >>> 1 : order < 0 ? low : high;
  }
  return low - 1;
}

/** Tells the next search that it is below child `i` of the branch at `base`: between its separator and the next. */
export function descendInto(view: DataView, base: number, i: number): void {
  sought.lower = headOf(view, base, i);
  if (i + 1 < readU16(view, base + COUNT)) sought.upper = headOf(view, base, i + 1);
}

/** The first words of a branch's key; NaN of one that is shorter. */
function headOf(view: DataView, base: number, i: number): number {
  const at = base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
  if (readU32(view, at + 4) < HEAD_BYTES) return Number.NaN;
  const offset = at + readU32(view, at);
  return readU32BE(view, offset) * 2 ** 32 + readU32BE(view, offset + 4);
}

/** The first i whose key is ≥ `key`, or `~i` of the place it would take when it is not there. */
export function searchLeaf(page: Page, key: Uint8Array): number {
  sought.set(key);
  return findInLeaf(page.bytes, page.view, page.base);
}

/** The child under which `key` belongs: the greatest i whose key is ≤ `key`, or 0. */
export function searchBranch(page: Page, key: Uint8Array): number {
  sought.set(key);
  return findInBranch(page.bytes, page.view, page.base);
}
