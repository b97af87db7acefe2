/**
 * Revisions that a key had before its newest, in blocks of flat words: one typed array per megabyte, however many
 * keys and revisions there are.
 *
 *   | link | class << 16 | count | main: low, high | sub | main: low, high | sub | …      unsigned 32-bit words
 *
 * A block holds `count` revisions in ascending order and links to what is older, which may be another block. Blocks
 * double as they fill, up to BLOCK_MAX revisions; from there a chain grows by further blocks of that size, so no
 * append ever copies more. A freed block is used again for its size.
 */
import { invariant } from "../base/invariant.ts";

/** Where a block begins, counted in words over all chunks; never 0, and below 2^30. */
export type BlockRef = number;

const CHUNK_SHIFT = 18;
const CHUNK_WORDS = 2 ** CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_WORDS - 1;
const REF_MAX = 2 ** 30;

const LINK = 0;
const SHAPE = 1;
const RECORDS = 2;
const RECORD_WORDS = 3;

const CLASSES = 9;
const BLOCK_MAX: number = 2 ** (CLASSES - 1);
const TWO_32 = 2 ** 32;

export class RevisionBlocks {
  readonly #chunks: Uint32Array[] = [];
  /** Where the next new block goes. */
  #end = 0;
  /** For each class the first free block, linked by its LINK; 0 = none. */
  readonly #free = new Uint32Array(CLASSES);
  #freeWords = 0;
  #revisions = 0;

  /** Revisions held. */
  get revisions(): number {
    return this.#revisions;
  }

  /** Allocated, of which `freeBytes` wait to be used again. */
  get bytes(): number {
    return this.#chunks.length * CHUNK_WORDS * 4;
  }

  get freeBytes(): number {
    const unused = this.#chunks.length * CHUNK_WORDS - this.#end;
    return (this.#freeWords + unused) * 4;
  }

  /** A block of one revision, which links to `link`. */
  start(link: number, main: number, sub: number): BlockRef {
    return this.#startIn(0, link, main, sub);
  }

  /** Adds a revision newer than all in the block. @returns the block now at the head of the chain */
  push(ref: BlockRef, main: number, sub: number): BlockRef {
    const chunk = this.#chunk(ref);
    const at = ref & CHUNK_MASK;
    const shape = chunk[at + SHAPE] as number;
    const count = shape & 0xffff;
    const sizeClass = shape >>> 16;
    if (count < 2 ** sizeClass) {
      setRecord(chunk, at + RECORDS + count * RECORD_WORDS, main, sub);
      chunk[at + SHAPE] = shape + 1;
      this.#revisions++;
      return ref;
    }
    if (sizeClass === CLASSES - 1) return this.#startIn(sizeClass, ref, main, sub);
    const larger = this.#move(ref, 0, sizeClass + 1);
    return this.push(larger, main, sub);
  }

  link(ref: BlockRef): number {
    return this.#chunk(ref)[(ref & CHUNK_MASK) + LINK] as number;
  }

  setLink(ref: BlockRef, link: number): void {
    this.#chunk(ref)[(ref & CHUNK_MASK) + LINK] = link;
  }

  count(ref: BlockRef): number {
    return (this.#chunk(ref)[(ref & CHUNK_MASK) + SHAPE] as number) & 0xffff;
  }

  /** @param index  0 ≤ index < count */
  main(ref: BlockRef, index: number): number {
    return mainAt(this.#chunk(ref), (ref & CHUNK_MASK) + RECORDS + index * RECORD_WORDS);
  }

  sub(ref: BlockRef, index: number): number {
    const at = (ref & CHUNK_MASK) + RECORDS + index * RECORD_WORDS;
    return this.#chunk(ref)[at + 2] as number;
  }

  /** The index of the newest revision with main ≤ `atRev`, or -1. */
  search(ref: BlockRef, atRev: number): number {
    const chunk = this.#chunk(ref);
    const records = (ref & CHUNK_MASK) + RECORDS;
    let low = 0;
    let high = this.count(ref);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (mainAt(chunk, records + middle * RECORD_WORDS) <= atRev) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Gives up the revisions before `from`, and the link; what those took goes back when that is worth a copy.
   * @param from  0 ≤ from < count
   * @returns the block that holds the rest
   */
  dropBefore(ref: BlockRef, from: number): BlockRef {
    const left = this.count(ref) - from;
    const sizeClass = classFor(left);
    this.setLink(ref, 0);
    if (from === 0) return ref;
    this.#revisions -= from;
    const chunk = this.#chunk(ref);
    const at = ref & CHUNK_MASK;
    const shape = chunk[at + SHAPE] as number;
    if (sizeClass < shape >>> 16) return this.#move(ref, from, sizeClass);
    const records = at + RECORDS;
    const end = records + (from + left) * RECORD_WORDS;
    chunk.copyWithin(records, records + from * RECORD_WORDS, end);
    chunk[at + SHAPE] = shape - from;
    return ref;
  }

  /** Gives up one block. @returns its link */
  free(ref: BlockRef): number {
    this.#revisions -= this.count(ref);
    return this.#release(ref);
  }

  #startIn(sizeClass: number, link: number, main: number, sub: number): BlockRef {
    const ref = this.#allocate(sizeClass);
    const chunk = this.#chunk(ref);
    const at = ref & CHUNK_MASK;
    chunk[at + LINK] = link;
    chunk[at + SHAPE] = (sizeClass << 16) | 1;
    setRecord(chunk, at + RECORDS, main, sub);
    this.#revisions++;
    return ref;
  }

  /** The revisions of a block from `from` on, in a block of another class; the old block is freed. */
  #move(ref: BlockRef, from: number, sizeClass: number): BlockRef {
    const moved = this.#allocate(sizeClass);
    const source = this.#chunk(ref);
    const target = this.#chunk(moved);
    const count = this.count(ref) - from;
    const at = moved & CHUNK_MASK;
    let read = (ref & CHUNK_MASK) + RECORDS + from * RECORD_WORDS;
    let write = at + RECORDS;
    // Most blocks are a few words: a loop, because a subarray would cost more than the copy.
    for (let words = count * RECORD_WORDS; words > 0; words--) {
      target[write++] = source[read++] as number;
    }
    target[at + LINK] = source[(ref & CHUNK_MASK) + LINK] as number;
    target[at + SHAPE] = (sizeClass << 16) | count;
    this.#release(ref);
    return moved;
  }

  #allocate(sizeClass: number): BlockRef {
    const words = blockWords(sizeClass);
    const free = this.#free[sizeClass] as number;
    if (free !== 0) {
      this.#free[sizeClass] = this.link(free);
      this.#freeWords -= words;
      return free;
    }
    const room = CHUNK_WORDS - (this.#end & CHUNK_MASK);
    if (this.#chunks.length * CHUNK_WORDS === this.#end || room < words) {
      const start = this.#chunks.length * CHUNK_WORDS;
      invariant(start + CHUNK_WORDS <= REF_MAX, "history fits its 2^30 words", { start });
      this.#freeWords += start - this.#end;
      this.#chunks.push(new Uint32Array(CHUNK_WORDS));
      // No block begins at 0: that is how a link says that there is none.
      this.#end = start === 0 ? 1 : start;
    }
    const ref = this.#end;
    this.#end += words;
    return ref;
  }

  /** @returns its link */
  #release(ref: BlockRef): number {
    const chunk = this.#chunk(ref);
    const at = ref & CHUNK_MASK;
    const link = chunk[at + LINK] as number;
    const sizeClass = (chunk[at + SHAPE] as number) >>> 16;
    chunk[at + LINK] = this.#free[sizeClass] as number;
    this.#free[sizeClass] = ref;
    this.#freeWords += blockWords(sizeClass);
    return link;
  }

  #chunk(ref: BlockRef): Uint32Array {
    return this.#chunks[ref >>> CHUNK_SHIFT] as Uint32Array;
  }
}

invariant(blockWords(CLASSES - 1) < CHUNK_WORDS, "the largest block fits a chunk");
invariant(BLOCK_MAX <= 0xffff, "a block's count fits its 16 bits");

function blockWords(sizeClass: number): number {
  return RECORDS + RECORD_WORDS * 2 ** sizeClass;
}

/** The smallest class that holds `count` revisions, 1 ≤ count ≤ BLOCK_MAX. */
function classFor(count: number): number {
  return 32 - Math.clz32(count - 1);
}

function mainAt(chunk: Uint32Array, at: number): number {
  return (chunk[at] as number) + (chunk[at + 1] as number) * TWO_32;
}

function setRecord(chunk: Uint32Array, at: number, main: number, sub: number): void {
  chunk[at] = main % TWO_32;
  chunk[at + 1] = Math.floor(main / TWO_32);
  chunk[at + 2] = sub;
}
