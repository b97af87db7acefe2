/**
 * Writes messages from their last field to their first: a message's length is known by the time it is written, nothing
 * is measured in advance and nothing is moved. The memory is used again for the next one.
 *
 * Fields that are zero or empty are left out, as proto3 does; those called "present" are not.
 */
import { uninitialized, utf8 } from "../base/bytes.ts";
import { putVarint, varintBytes } from "./protobuf.ts";
import { putUint64, uint64Bytes } from "./uint64.ts";

/** A tag and a number of 64 bits. */
const SCALAR_BYTES_MAX = 15;

/** Below this, copying byte by byte beats a call. */
const SHORT_BYTES = 24;

/** For the small fields before a large one, so that it need not move for them. */
const SLACK_BYTES = 512;

/** Memory of more than so many times what was written is not handed out to be kept. */
const TIGHT = 1.25;

/** The default of what is used again. */
const SCRATCH_BYTES: number = 64 * 1024;

const TWO_63 = 2 ** 63;

export class MessageWriter {
  readonly #scratchBytes: number;
  #bytes = new Uint8Array(1024);
  /** Where the last written byte lies; behind it, everything. */
  #at: number = this.#bytes.length;

  /** @param scratchBytes  what is longer is handed out in memory of its own, which is not used again */
  constructor(scratchBytes: number = SCRATCH_BYTES) {
    this.#scratchBytes = scratchBytes;
  }

  /** Of all that was written. What was written between two lengths is one message: see `message`. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  clear(): void {
    this.#at = this.#bytes.length;
  }

  /**
   * What was written. Up to `scratchBytes`, a view that is good until the next `clear`; beyond, nobody else's.
   */
  take(): Uint8Array {
    const written = this.#bytes.subarray(this.#at);
    if (written.length > this.#scratchBytes) this.#bytes = new Uint8Array(1024);
    return written;
  }

  /** What was written, nobody else's, in memory that is filled for the most part: it may be kept for long. */
  takeOwn(): Uint8Array {
    const isFilled = this.length * TIGHT >= this.#bytes.length;
    const written = this.take();
    return isFilled && written.length > this.#scratchBytes ? written : written.slice();
  }

  /** Bytes that are fields already. */
  raw(value: Uint8Array): void {
    const { length } = value;
    this.#reserve(length);
    const at = this.#at - length;
    if (length > SHORT_BYTES) this.#bytes.set(value, at);
    else for (let i = 0; i < length; i++) this.#bytes[at + i] = value[i] as number;
    this.#at = at;
  }

  /** Closes the message that was written since the writer had `length`, as field `field`. */
  message(field: number, length: number): void {
    const bytes = this.length - length;
    this.#reserve(SCALAR_BYTES_MAX);
    this.#varint(bytes);
    this.#varint(field * 8 + 2);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.presentBytes(field, value);
  }

  presentBytes(field: number, value: Uint8Array): void {
    const { length } = value;
    this.#reserve(length + SCALAR_BYTES_MAX);
    const at = this.#at - length;
    if (length > SHORT_BYTES) this.#bytes.set(value, at);
    else for (let i = 0; i < length; i++) this.#bytes[at + i] = value[i] as number;
    this.#at = at;
    this.#varint(length);
    this.#varint(field * 8 + 2);
  }

  text(field: number, value: string): void {
    if (value !== "") this.presentText(field, value);
  }

  presentText(field: number, value: string): void {
    this.presentBytes(field, utf8(value));
  }

  bool(field: number, value: boolean): void {
    if (value) this.presentInt64(field, 1);
  }

  int64(field: number, value: number): void {
    if (value !== 0) this.presentInt64(field, value);
  }

  /** @param value  whole. From 2^63 on, where rounding may have brought it: the largest int64. */
  presentInt64(field: number, value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.#reserve(SCALAR_BYTES_MAX);
      this.#varint(value);
      this.#varint(field * 8);
    } else {
      this.presentBigint(field, value >= TWO_63 ? BigInt(TWO_63) - 1n : BigInt(value));
    }
  }

  bigint(field: number, value: bigint): void {
    if (value !== 0n) this.presentBigint(field, value);
  }

  /** @param value  an int64, as Go writes it in two's complement, or a uint64. */
  presentBigint(field: number, value: bigint): void {
    this.#reserve(SCALAR_BYTES_MAX);
    const to = this.#at - uint64Bytes(value);
    putUint64(this.#bytes, to, value);
    this.#at = to;
    this.#varint(field * 8);
  }

  /** What a field is made of; its room has been reserved. */
  #varint(value: number): void {
    if (value < 0x80) {
      this.#bytes[--this.#at] = value;
    } else {
      this.#at -= varintBytes(value);
      putVarint(this.#bytes, this.#at, value);
    }
  }

  #reserve(room: number): void {
    if (this.#at < room) this.#grow(room);
  }

  #grow(room: number): void {
    const { length } = this;
    const larger = uninitialized(Math.max(2 * this.#bytes.length, length + room + SLACK_BYTES));
    larger.set(this.#bytes.subarray(this.#at), larger.length - length);
    this.#bytes = larger;
    this.#at = larger.length - length;
  }
}

const writer = new MessageWriter();

/** One message on its own, in memory of its own. @param write  does not come back here. */
export function written<T>(
  write: (writer: MessageWriter, message: T) => void,
  message: T,
): Uint8Array {
  writer.clear();
  write(writer, message);
  return writer.takeOwn();
}
