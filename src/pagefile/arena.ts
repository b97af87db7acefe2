/**
 * Where a write transaction keeps the keys and values that it was given: copied once, so that the caller may use its
 * buffers again, and side by side, so that what was put in order is written in one piece.
 *
 * The next transaction has the same memory, unless somebody was shown a piece of it.
 */
import { newSlab, type Slab } from "../../native-free/page-cache.ts";
import { copyBytes, uninitialized } from "../base/bytes.ts";

const FIRST_BYTES = 16 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** What is kept from one transaction to the next. */
const KEPT_CHUNKS = 8;

export class Arena {
  /** The chunk of the last copy, and where in it the copy lies. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  /** Somebody may hold a view of what was copied in. */
  lent = false;
  #end = 0;
  #chunkBytes = FIRST_BYTES;
  /** Chunks of full size that may be written over, the last one first. */
  #spare: Uint8Array[] = [];
  /** Chunks of full size in use. */
  #inUse: Uint8Array[] = [];

  /** Pages that are read to be written anew. */
  readonly pages: PageRoom = new PageRoom();

  /** Copies key‖value in; their place is then `bytes`, `offset`. */
  copy(key: Uint8Array, value: Uint8Array): void {
    const length = key.length + value.length;
    if (this.#end + length > this.bytes.length) this.#next(length);
    this.offset = this.#end;
    copyBytes(this.bytes, this.#end, key, 0, key.length);
    this.bytes.set(value, this.#end + key.length);
    this.#end += length;
  }

  /** Copies a key and the value behind it in; their place is then `bytes`, `offset`. */
  copyPair(from: Uint8Array, fromOffset: number, length: number): void {
    if (this.#end + length > this.bytes.length) this.#next(length);
    this.offset = this.#end;
    copyBytes(this.bytes, this.#end, from, fromOffset, length);
    this.#end += length;
  }

  /** Nothing that was copied in is needed any more, except by those who were shown a piece of it. */
  recycle(): void {
    const kept = this.lent ? [] : this.#inUse.slice(0, KEPT_CHUNKS);
    this.#spare = this.#spare.concat(kept).slice(0, KEPT_CHUNKS);
    this.#inUse = [];
    this.bytes = new Uint8Array(0);
    this.#end = 0;
    this.#chunkBytes = FIRST_BYTES;
    this.pages.recycle(!this.lent);
    this.lent = false;
  }

  #next(length: number): void {
    const wanted = Math.max(this.#chunkBytes, length);
    const whole = wanted === CHUNK_BYTES;
    this.bytes = (whole ? this.#spare.pop() : undefined) ?? uninitialized(wanted);
    if (whole) this.#inUse.push(this.bytes);
    this.#end = 0;
    this.#chunkBytes = Math.min(this.#chunkBytes * 4, CHUNK_BYTES);
  }
}

const ROOM_BYTES = 1024 * 1024;

/** What is kept of it from one transaction to the next. */
const KEPT_ROOMS = 16;

/** Room for pages, one after another. */
export class PageRoom {
  #slab: Slab | undefined;
  /** Where the next page's place is in the slab that `next` returned. */
  offset = 0;
  #spare: Slab[] = [];
  #inUse: Slab[] = [];

  /** The slab that has room for a page, at `offset`. It is taken by `take`. */
  next(pageBytes: number): Slab {
    if (this.#slab === undefined || this.offset + pageBytes > ROOM_BYTES) {
      this.#slab = this.#spare.pop() ?? newSlab(ROOM_BYTES);
      this.#inUse.push(this.#slab);
      this.offset = 0;
    }
    return this.#slab;
  }

  take(pageBytes: number): void {
    this.offset += pageBytes;
  }

  /** @param again  whether what is in use may be written over */
  recycle(again: boolean): void {
    if (again) this.#spare = this.#spare.concat(this.#inUse);
    this.#spare.length = Math.min(this.#spare.length, KEPT_ROOMS);
    this.#inUse = [];
    this.#slab = undefined;
  }
}
