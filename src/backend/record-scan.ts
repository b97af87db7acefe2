/** All of bucket `key` in pieces of columns, from which the main thread builds its index. */
import { hex, readU32, readU64BE } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { ELEMENT_BYTES, PAGE_HEADER_BYTES, type Page } from "../pagefile/page.ts";
import type { PageFile } from "../pagefile/page-file.ts";
import { leafPages } from "../pagefile/scan.ts";
import type { ReadTx } from "../pagefile/tx.ts";
import { FieldReader } from "../proto/protobuf.ts";
import { KEY } from "./buckets.ts";
import { isRevision, TOMBSTONE_BYTES } from "./revision.ts";
import type { ScanPiece } from "./storage.ts";

/** Room for keys, to begin with. */
const KEY_BYTES = 32;

export class RecordScan {
  readonly #path: string;
  readonly #tx: ReadTx;
  readonly #leaves: Generator<Page, void> | undefined;
  readonly #fields = new FieldReader();
  #mains = new Float64Array(0);
  #subs = new Uint32Array(0);
  #tombstones = new Uint8Array(0);
  #creates = new Float64Array(0);
  #versions = new Float64Array(0);
  #keyEnds = new Uint32Array(0);
  #keys = new Uint8Array(0);
  #leases: [number, bigint][] = [];
  #count = 0;
  #keysEnd = 0;

  constructor(file: Pick<PageFile, "path" | "beginRead">) {
    this.#path = file.path;
    this.#tx = file.beginRead();
    const bucket = this.#tx.bucket(KEY);
    this.#leaves = bucket && leafPages(this.#tx, bucket);
  }

  /**
   * @param limit  records, but for those that come with the last page
   * @throws CorruptionError for a record that is none
   */
  next(limit: number): ScanPiece {
    this.#begin(limit + 1024);
    let recordBytes = 0;
    let done = false;
    while (this.#count < limit) {
      const step = this.#leaves?.next();
      if (step === undefined || step.done) {
        done = true;
        this.end();
        break;
      }
      recordBytes += this.#takeLeaf(step.value);
    }
    const count = this.#count;
    return {
      count,
      mains: this.#mains.subarray(0, count),
      subs: this.#subs.subarray(0, count),
      tombstones: this.#tombstones.subarray(0, count),
      creates: this.#creates.subarray(0, count),
      versions: this.#versions.subarray(0, count),
      keyEnds: this.#keyEnds.subarray(0, count),
      keys: this.#keys.subarray(0, this.#keysEnd),
      leases: this.#leases,
      done,
      recordBytes,
    };
  }

  /** Gives up the view of the file. Twice is harmless. */
  end(): void {
    this.#tx.close();
  }

  #begin(room: number): void {
    this.#mains = new Float64Array(room);
    this.#subs = new Uint32Array(room);
    this.#tombstones = new Uint8Array(room);
    this.#creates = new Float64Array(room);
    this.#versions = new Float64Array(room);
    this.#keyEnds = new Uint32Array(room);
    this.#keys = new Uint8Array(room * KEY_BYTES);
    this.#leases = [];
    this.#count = 0;
    this.#keysEnd = 0;
  }

  #takeLeaf({ bytes, view, base, count, id }: Page): number {
    if (this.#count + count > this.#mains.length) this.#grow(this.#count + count);
    const offsetBytes = id * this.#tx.pageBytes;
    let recordBytes = 0;
    for (let i = 0; i < count; i++) {
      const at = base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
      const keyOffset = at + readU32(view, at + 4);
      const keyBytes = readU32(view, at + 8);
      const valueBytes = readU32(view, at + 12);
      if (!isRevision(bytes, keyOffset, keyBytes)) {
        const key = hex(bytes.subarray(keyOffset, keyOffset + keyBytes));
        throw new CorruptionError(this.#path, offsetBytes, `bucket key: ${key} is no revision`);
      }
      const n = this.#count++;
      this.#mains[n] = readU64BE(view, keyOffset);
      this.#subs[n] = readU64BE(view, keyOffset + 9);
      this.#tombstones[n] = keyBytes === TOMBSTONE_BYTES ? 1 : 0;
      const value = keyOffset + keyBytes;
      if (!this.#takeValue(bytes, value, value + valueBytes, n)) {
        const key = hex(bytes.subarray(keyOffset, keyOffset + keyBytes));
        throw new CorruptionError(this.#path, offsetBytes, `bucket key: ${key} has no KeyValue`);
      }
      recordBytes += keyBytes + valueBytes;
    }
    return recordBytes;
  }

  /** Makes nothing: the value itself is passed over. */
  #takeValue(bytes: Uint8Array, start: number, end: number, n: number): boolean {
    const fields = this.#fields.open(bytes, start, end);
    let keyAt = start;
    let keyBytes = 0;
    let create = 0;
    let version = 0;
    while (fields.next()) {
      switch (fields.field) {
        case 1:
          if (!fields.is(2)) break;
          keyAt = fields.start;
          keyBytes = fields.length;
          break;
        case 2:
          if (fields.is(0)) create = fields.number;
          break;
        case 4:
          if (fields.is(0)) version = fields.number;
          break;
        case 5:
          fields.is(2);
          break;
        case 6:
          if (fields.is(0) && fields.bigint !== 0n) {
            this.#leases.push([n, BigInt.asIntN(64, fields.bigint)]);
          }
          break;
      }
    }
    if (fields.fault !== undefined) return false;
    this.#creates[n] = create;
    this.#versions[n] = version;
    const keysEnd = this.#keysEnd + keyBytes;
    if (keysEnd > this.#keys.length) this.#growKeys(keysEnd);
    const keys = this.#keys;
    for (let from = keyAt, to = this.#keysEnd; to < keysEnd; ) keys[to++] = bytes[from++] as number;
    this.#keysEnd = keysEnd;
    this.#keyEnds[n] = keysEnd;
    return true;
  }

  #grow(count: number): void {
    const room = Math.max(count, this.#mains.length * 2);
    this.#mains = grown(this.#mains, new Float64Array(room));
    this.#subs = grown(this.#subs, new Uint32Array(room));
    this.#tombstones = grown(this.#tombstones, new Uint8Array(room));
    this.#creates = grown(this.#creates, new Float64Array(room));
    this.#versions = grown(this.#versions, new Float64Array(room));
    this.#keyEnds = grown(this.#keyEnds, new Uint32Array(room));
  }

  #growKeys(bytes: number): void {
    this.#keys = grown(this.#keys, new Uint8Array(Math.max(bytes, this.#keys.length * 2)));
  }
}

function grown<A extends Float64Array | Uint32Array | Uint8Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
