/**
 * Requests by the bytes of their header blocks. Clients say the same again and again, and once their tables have
 * settled they say it in the same bytes: then nothing need be decoded. That holds only while the decoder's table is the
 * same, and only for blocks that do not change it.
 */
import type { Head } from "./head.ts";

/** Methods a client has in use at a time. Few, so that many connections are not dear. */
const HEADS_MAX = 8;

/** A longer one has something in it that is not in the table, and will hardly come again. */
const BLOCK_BYTES_MAX = 512;

export class HeadCache {
  #changes = -1;
  readonly #blocks: Buffer[] = [];
  readonly #hashes: number[] = [];
  readonly #heads: Head[] = [];
  /** Of the last lookup. */
  #hash = 0;
  /** The next to be replaced. */
  #oldest = 0;
  /** Blocks seen once: only what comes twice is kept, or else blocks that always differ would be copied each time. */
  readonly #once = new Int32Array(HEADS_MAX);
  #onceNext = 0;

  /** @param changes  of the decoder's table */
  find(bytes: Buffer, start: number, end: number, changes: number): Head | undefined {
    if (changes !== this.#changes) this.#clear(changes);
    const length = end - start;
    if (length > BLOCK_BYTES_MAX) return undefined;
    let hash = length;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    this.#hash = hash;
    const hashes = this.#hashes;
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] === hash && equals(this.#blocks[i] as Buffer, bytes, start, length)) {
        return this.#heads[i];
      }
    }
    return undefined;
  }

  /** After `find` in vain for the same bytes, if decoding them left the table as it was. */
  keep(bytes: Buffer, start: number, end: number, head: Head): void {
    if (end - start > BLOCK_BYTES_MAX) return;
    const hash = this.#hash;
    if (!this.#once.includes(hash)) {
      this.#once[this.#onceNext] = hash;
      this.#onceNext = (this.#onceNext + 1) % HEADS_MAX;
      return;
    }
    const block = Buffer.from(bytes.subarray(start, end));
    this.#blocks[this.#oldest] = block;
    this.#hashes[this.#oldest] = hash;
    this.#heads[this.#oldest] = head;
    this.#oldest = (this.#oldest + 1) % HEADS_MAX;
  }

  #clear(changes: number): void {
    this.#changes = changes;
    if (this.#heads.length > 0) {
      this.#blocks.length = 0;
      this.#hashes.length = 0;
      this.#heads.length = 0;
      this.#oldest = 0;
    }
  }
}

function equals(block: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (block.length !== length) return false;
  for (let i = 0; i < length; i++) if (block[i] !== bytes[start + i]) return false;
  return true;
}
