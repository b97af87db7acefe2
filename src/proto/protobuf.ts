/**
 * The part of protobuf that the log and its requests are made of: varints and bytes, read and written in place. Numbers
 * are exact up to 2^53, ids are bigint.
 */
import { readI64Big, readU64Big, viewOf, writeU32 } from "../base/bytes.ts";

const TWO_32 = 2 ** 32;

/** What `Number.MAX_SAFE_INTEGER` leaves for a high word. */
const HIGH_MAX = 2 ** 21 - 1;

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** Puts two words together: as shifts, 64 bits cost four numbers on the heap instead of one. */
const words = viewOf(new Uint8Array(8));

const TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the fields of a message in `bytes[start, end)` one by one, and makes nothing. */
export class FieldReader {
  bytes: Uint8Array = EMPTY_BYTES;
  at = 0;
  end = 0;
  /** Of the field that `next` came to: its number, its wire type (0 varint, 1 and 5 fixed, 2 bytes). */
  field = 0;
  wire = 0;
  /** A varint's value, as two words. */
  low = 0;
  high = 0;
  /** Where a bytes field lies. */
  start = 0;
  length = 0;
  /** What stopped the reader before the end; undefined while all is well. */
  fault: string | undefined;

  open(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.fault = undefined;
    return this;
  }

  /** To the next field; false at the end, and at bytes that are not protobuf: see `fault`. */
  next(): boolean {
    if (this.at >= this.end) return false;
    if (!this.#varint()) return this.stop("a varint does not end");
    this.wire = this.low & 7;
    this.field = this.high * 2 ** 29 + (this.low >>> 3);
    if (this.field === 0 || this.field >= 2 ** 29) return this.stop(`no field ${this.field}`);
    switch (this.wire) {
      case 0:
        return this.#varint() || this.stop(`the varint of field ${this.field} does not end`);
      case 1:
        return this.#take(8);
      case 2:
        if (!this.#varint()) return this.stop(`the length of field ${this.field} does not end`);
        return this.#take(this.high * TWO_32 + this.low);
      case 5:
        return this.#take(4);
      default:
        return this.stop(`field ${this.field} has wire type ${this.wire}`);
    }
  }

  /** The varint as a number. Beyond 2^53, which no term or index reaches, the reader stops. */
  get number(): number {
    if (this.high > HIGH_MAX) this.stop(`field ${this.field} is beyond 2^53`);
    return this.high * TWO_32 + this.low;
  }

  /** The varint as an int64, rounded beyond 2^53. */
  get int64(): number {
    return (this.high | 0) * TWO_32 + this.low;
  }

  /** The varint as an int32, which is what an enum is. */
  get int32(): number {
    return this.low | 0;
  }

  get bool(): boolean {
    return this.low !== 0 || this.high !== 0;
  }

  /** The varint as a uint64. */
  get bigint(): bigint {
    if (this.high === 0) return BigInt(this.low);
    writeU32(words, 0, this.low);
    writeU32(words, 4, this.high);
    return readU64Big(words, 0);
  }

  /** The varint as an int64. */
  get int64Big(): bigint {
    if (this.high === 0) return BigInt(this.low);
    writeU32(words, 0, this.low);
    writeU32(words, 4, this.high);
    return readI64Big(words, 0);
  }

  /** A bytes field that is to be UTF-8; if it is not, the reader stops. */
  get text(): string {
    if (this.length === 0) return "";
    try {
      return TEXT.decode(this.view);
    } catch {
      this.stop(`field ${this.field} is not UTF-8`);
      return "";
    }
  }

  /** A bytes field, as a view of what is read. */
  get view(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + this.length);
  }

  /** The varints that a bytes field is made of; undefined if it is not. For lists that came packed. */
  packed(): bigint[] | undefined {
    const values: bigint[] = [];
    const inside = new FieldReader().open(this.bytes, this.start, this.start + this.length);
    while (inside.at < inside.end) {
      if (!inside.#varint()) return undefined;
      values.push(inside.bigint);
    }
    return values;
  }

  /** Whether the field is of the wire type that the message gives it; if not, the reader stops. */
  is(wire: 0 | 2): boolean {
    if (this.wire !== wire) this.stop(`field ${this.field} has wire type ${this.wire}`);
    return this.wire === wire;
  }

  /** Ends the reading: the first fault stays. */
  stop(fault: string): false {
    this.fault ??= fault;
    this.at = this.end;
    return false;
  }

  #take(length: number): boolean {
    if (length > this.end - this.at) {
      return this.stop(`field ${this.field} has ${length} bytes, ${this.end - this.at} are left`);
    }
    this.start = this.at;
    this.length = length;
    this.at += length;
    return true;
  }

  /** At most ten bytes; what the tenth has beyond 64 bits is dropped, as Go does. */
  #varint(): boolean {
    const { bytes, end } = this;
    let at = this.at;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) return false;
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 64) high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.at = at;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return true;
      }
    }
    return false;
  }
}

/** How many bytes `value` takes, 0 ≤ value < 2^53. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes `value`, 0 ≤ value < 2^53, at `at`; returns where it ends. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) bytes[to++] = (rest % 0x80) | 0x80;
  for (; rest >= 0x80; rest >>>= 7) bytes[to++] = (rest & 0x7f) | 0x80;
  bytes[to++] = rest;
  return to;
}

/** Builds a small message, field by field, in the order that it is given them. */
export class FieldWriter {
  readonly #bytes: number[] = [];

  number(field: number, value: number): this {
    return this.bigint(field, BigInt(value));
  }

  bool(field: number, value: boolean): this {
    return this.bigint(field, value ? 1n : 0n);
  }

  /** @param value  negative ones as Go writes an int64: two's complement, ten bytes. */
  bigint(field: number, value: bigint): this {
    this.#varint(BigInt(field * 8));
    this.#varint(BigInt.asUintN(64, value));
    return this;
  }

  /** Nothing for undefined: a null is absent, empty bytes are there. */
  message(field: number, bytes: Uint8Array | undefined): this {
    if (bytes === undefined) return this;
    this.#varint(BigInt(field * 8 + 2));
    this.#varint(BigInt(bytes.length));
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** What a field begins with whose bytes the caller puts behind. */
  head(field: number, byteLength: number): this {
    this.#varint(BigInt(field * 8 + 2));
    this.#varint(BigInt(byteLength));
    return this;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value: bigint): void {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes.push(Number(rest & 0x7fn) | 0x80);
    this.#bytes.push(Number(rest));
  }
}
