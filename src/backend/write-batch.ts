/**
 * Writes that wait for a commit, as a stream of operations in memory that two threads share: the main thread appends
 * and reads back, the storage thread applies.
 *
 *   | op: u8 | bucket: u8 | keyBytes: u16 | valueBytes: u32 | key | value |     little-endian, no padding
 *
 * op 1 = put, 2 = delete. An operation lies whole in one chunk.
 */
import { readU16, readU32, viewOf, writeU16, writeU32 } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import {
  ALARM,
  AUTH,
  AUTH_ROLES,
  AUTH_USERS,
  CLUSTER,
  KEY,
  LEASE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
} from "./buckets.ts";
import { putRevision, REVISION_BYTES, TOMBSTONE_BYTES } from "./revision.ts";
import type { Batch, BatchChunk } from "./storage.ts";

/** All buckets of etcd, in the order of their names; an operation names one by its place here. */
export const BUCKETS: readonly Uint8Array[] = [
  ALARM,
  AUTH,
  AUTH_ROLES,
  AUTH_USERS,
  CLUSTER,
  KEY,
  LEASE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
];

const KEY_PLACE = BUCKETS.indexOf(KEY);

const PUT = 1;
const DELETE = 2;
const HEAD_BYTES = 8;

/** What a chunk has, unless one operation needs more. */
export const CHUNK_BYTES: number = 1024 * 1024;

/** Memory of chunks that were committed, for those to come. */
export class ChunkPool {
  readonly #free: Uint8Array[] = [];
  readonly #keep: number;

  /** @param keep  chunks that wait here at most */
  constructor(keep: number) {
    this.#keep = keep;
  }

  take(bytes: number): Uint8Array {
    if (bytes > CHUNK_BYTES) return new Uint8Array(new SharedArrayBuffer(bytes));
    return this.#free.pop() ?? new Uint8Array(new SharedArrayBuffer(CHUNK_BYTES));
  }

  giveBack(bytes: Uint8Array): void {
    if (bytes.length === CHUNK_BYTES && this.#free.length < this.#keep) this.#free.push(bytes);
  }
}

interface Chunk extends BatchChunk {
  readonly view: DataView;
  usedBytes: number;
}

/** Where a value lies. */
export interface ValuePlace {
  bytes: Uint8Array;
  offset: number;
  length: number;
}

/**
 * @param place  of the value; the same object each call
 * @returns false to stop
 */
export type RecordVisitor = (
  main: number,
  sub: number,
  tombstone: boolean,
  place: Readonly<ValuePlace>,
) => boolean;

const NO_BYTES = new Uint8Array(0);

/** Places are counted over all chunks: chunk * CHUNK_STRIDE + offset. */
const CHUNK_STRIDE = 2 ** 32;

export class WriteBatch implements Batch {
  readonly chunks: Chunk[] = [];
  readonly #pool: ChunkPool;
  #last: Chunk | undefined;
  #operations = 0;
  #bytes = 0;
  /** Records of bucket `key` come in the order of their revisions, all main ones from this on; 0 = none yet. */
  #firstMain = 0;
  /** By main - #firstMain: how many records there are before it. */
  #startOf = new Uint32Array(256);
  #mains = 0;
  /** By record: the place of its value; twice its length, and 1 for a tombstone. */
  #placeOf = new Float64Array(256);
  #lengthOf = new Uint32Array(256);
  #records = 0;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  get operations(): number {
    return this.#operations;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  put(bucket: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    const chunk = this.#room(HEAD_BYTES + key.length + value.length);
    const at = this.#head(chunk, PUT, placeOf(bucket), key.length, value.length);
    chunk.bytes.set(key, at);
    chunk.bytes.set(value, at + key.length);
  }

  delete(bucket: Uint8Array, key: Uint8Array): void {
    const chunk = this.#room(HEAD_BYTES + key.length);
    chunk.bytes.set(key, this.#head(chunk, DELETE, placeOf(bucket), key.length, 0));
  }

  /**
   * A record of bucket `key`, its value encoded by `encode` in place.
   * @param main, sub  next after the last one: sub 0 of the next main, or the next sub
   * @param valueBytesMax  what the value needs at most
   * @param encode  writes the value at an offset, and returns its end
   */
  record(
    main: number,
    sub: number,
    tombstone: boolean,
    valueBytesMax: number,
    encode: (bytes: Uint8Array, offset: number) => number,
  ): ValuePlace {
    const keyBytes = tombstone ? TOMBSTONE_BYTES : REVISION_BYTES;
    const chunk = this.#room(HEAD_BYTES + keyBytes + valueBytesMax);
    const head = chunk.usedBytes;
    const at = head + HEAD_BYTES;
    const { bytes, view } = chunk;
    const start = putRevision(bytes, view, at, main, sub, tombstone);
    const length = encode(bytes, start) - start;
    this.#head(chunk, PUT, KEY_PLACE, keyBytes, length);
    this.#note(main, sub, tombstone, (this.chunks.length - 1) * CHUNK_STRIDE + start, length);
    return { bytes, offset: start, length };
  }

  /** @returns whether that record, a tombstone or not, is in this batch; `into` says where */
  find(main: number, sub: number, tombstone: boolean, into: ValuePlace): boolean {
    const at = main - this.#firstMain;
    if (this.#firstMain === 0 || at < 0 || at >= this.#mains) return false;
    const record = (this.#startOf[at] as number) + sub;
    const end = at + 1 < this.#mains ? (this.#startOf[at + 1] as number) : this.#records;
    if (record >= end || (this.#lengthOf[record] as number) % 2 !== (tombstone ? 1 : 0))
      return false;
    const place = this.#placeOf[record] as number;
    into.bytes = (this.chunks[Math.floor(place / CHUNK_STRIDE)] as Chunk).bytes;
    into.offset = place % CHUNK_STRIDE;
    into.length = (this.#lengthOf[record] as number) >>> 1;
    return true;
  }

  /** Visits its records from a revision on, in order. @returns false if `visit` ended it by that */
  scan(fromMain: number, visit: RecordVisitor): boolean {
    if (this.#firstMain === 0) return true;
    const place: ValuePlace = { bytes: NO_BYTES, offset: 0, length: 0 };
    for (let at = Math.max(0, fromMain - this.#firstMain); at < this.#mains; at++) {
      const start = this.#startOf[at] as number;
      const end = at + 1 < this.#mains ? (this.#startOf[at + 1] as number) : this.#records;
      for (let record = start; record < end; record++) {
        const main = this.#firstMain + at;
        const isTombstone = ((this.#lengthOf[record] as number) & 1) === 1;
        this.find(main, record - start, isTombstone, place);
        if (!visit(main, record - start, isTombstone, place)) return false;
      }
    }
    return true;
  }

  /** Its memory is the pool's again: nobody reads it any more, on any thread. */
  recycle(): void {
    for (const { bytes } of this.chunks) this.#pool.giveBack(bytes);
    this.chunks.length = 0;
    this.#last = undefined;
    this.#firstMain = 0;
    this.#mains = 0;
    this.#records = 0;
  }

  #note(main: number, sub: number, tombstone: boolean, place: number, length: number): void {
    if (this.#firstMain === 0) this.#firstMain = main;
    if (sub === 0) {
      invariant(main === this.#firstMain + this.#mains, "revisions follow each other", { main });
      if (this.#mains === this.#startOf.length) this.#startOf = grown(this.#startOf, Uint32Array);
      this.#startOf[this.#mains++] = this.#records;
    }
    if (this.#records === this.#placeOf.length) {
      this.#placeOf = grown(this.#placeOf, Float64Array);
      this.#lengthOf = grown(this.#lengthOf, Uint32Array);
    }
    this.#placeOf[this.#records] = place;
    this.#lengthOf[this.#records++] = length * 2 + (tombstone ? 1 : 0);
  }

  #room(bytes: number): Chunk {
    const last = this.#last;
    if (last !== undefined && last.bytes.length - last.usedBytes >= bytes) return last;
    const memory = this.#pool.take(bytes);
    const chunk: Chunk = { bytes: memory, view: viewOf(memory), usedBytes: 0 };
    this.chunks.push(chunk);
    this.#last = chunk;
    return chunk;
  }

  #head(chunk: Chunk, op: number, bucket: number, keyBytes: number, valueBytes: number): number {
    const { bytes, view, usedBytes } = chunk;
    bytes[usedBytes] = op;
    bytes[usedBytes + 1] = bucket;
    writeU16(view, usedBytes + 2, keyBytes);
    writeU32(view, usedBytes + 4, valueBytes);
    const total = HEAD_BYTES + keyBytes + valueBytes;
    chunk.usedBytes += total;
    this.#operations++;
    this.#bytes += total;
    return usedBytes + HEAD_BYTES;
  }
}

export interface Operation {
  readonly bucket: Uint8Array;
  readonly key: Uint8Array;
  /** Undefined: delete the key. */
  readonly value: Uint8Array | undefined;
}

/** The operations of a batch, in order; their bytes are views. */
export function* operationsOf(batch: Batch): Generator<Operation> {
  for (const { bytes, usedBytes } of batch.chunks) {
    const view = viewOf(bytes);
    let at = 0;
    while (at < usedBytes) {
      const op = bytes[at] as number;
      const bucket = BUCKETS[bytes[at + 1] as number];
      invariant(bucket !== undefined && (op === PUT || op === DELETE), "an operation is known");
      const keyEnd = at + HEAD_BYTES + readU16(view, at + 2);
      const end = keyEnd + readU32(view, at + 4);
      yield {
        bucket,
        key: bytes.subarray(at + HEAD_BYTES, keyEnd),
        value: op === PUT ? bytes.subarray(keyEnd, end) : undefined,
      };
      at = end;
    }
  }
}

function placeOf(bucket: Uint8Array): number {
  const place = BUCKETS.indexOf(bucket);
  invariant(place !== -1, "a bucket is one of etcd's", { bucket });
  return place;
}

function grown<A extends Uint32Array | Float64Array>(old: A, make: new (length: number) => A): A {
  const larger = new make(old.length * 2);
  larger.set(old);
  return larger;
}
