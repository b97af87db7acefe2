/** Reading protobuf in place, field by field, with nothing made on the way but 64-bit numbers. */

/** A reader of fields that never reads past `end`. */
export class ProtoFields {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** Of the field under the reader; 0 for one of a fixed width, which nobody here uses. */
  field = 0;
  /** Its value, if it is a number: 64 bits, unsigned. */
  varint = 0n;
  /** Its bytes, if it has a length. */
  start = 0;
  length = 0;
  /** Whether it has a length: 1 = a number, 2 = bytes, 0 = neither. */
  kind: 0 | 1 | 2 = 0;

  constructor(bytes: Uint8Array, offset: number, end: number) {
    this.bytes = bytes;
    this.at = offset;
    this.end = end;
  }

  /** To the next field. @returns false at the end, or "malformed" */
  next(): boolean | "malformed" {
    if (this.at >= this.end) return false;
    const tag = this.#varint();
    if (tag === undefined) return "malformed";
    this.field = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0: {
        const value = this.#varint();
        if (value === undefined) return "malformed";
        this.varint = value;
        this.kind = 1;
        return true;
      }
      case 1:
        return this.#skip(8);
      case 2: {
        const length = this.#varint();
        if (length === undefined || length > BigInt(this.end - this.at)) return "malformed";
        this.start = this.at;
        this.length = Number(length);
        this.at += this.length;
        this.kind = 2;
        return true;
      }
      case 5:
        return this.#skip(4);
      default:
        return "malformed";
    }
  }

  /** The field's bytes, as a view. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + this.length);
  }

  /** The field's number, signed. */
  int64(): bigint {
    return BigInt.asIntN(64, this.varint);
  }

  #skip(count: number): true | "malformed" {
    if (this.end - this.at < count) return "malformed";
    this.at += count;
    this.field = 0;
    this.kind = 0;
    return true;
  }

  #varint(): bigint | undefined {
    // One byte is the usual case, and needs no arithmetic on 64 bits.
    const first = this.bytes[this.at] as number;
    if (this.at < this.end && first < 0x80) {
      this.at++;
      return BigInt(first);
    }
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) return undefined;
      const byte = this.bytes[this.at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return undefined;
  }
}

/** Calls `each` at every field of a message. @returns false if the bytes are no message */
export function everyField(bytes: Uint8Array, each: (fields: ProtoFields) => void): boolean {
  const fields = new ProtoFields(bytes, 0, bytes.length);
  for (let more = fields.next(); more !== false; more = fields.next()) {
    if (more === "malformed") return false;
    each(fields);
  }
  return true;
}
