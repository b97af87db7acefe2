/**
 * A value of bucket `key`: protobuf mvccpb.KeyValue,
 * 1 key: bytes, 2 create_revision, 3 mod_revision, 4 version: int64, 5 value: bytes, 6 lease: int64.
 */

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly version: bigint;
  readonly value: Uint8Array;
  readonly lease: bigint;
}

/** Where the user key lies in an encoded KeyValue. */
export interface KeyRange {
  offset: number;
  length: number;
}

const EMPTY = new Uint8Array(0);

/** A reader of protobuf fields that never reads past `end`. */
class Fields {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** Of the field under the reader. */
  field = 0;
  varint = 0n;
  start = 0;
  length = 0;

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
        return true;
      }
      case 5:
        return this.#skip(4);
      default:
        return "malformed";
    }
  }

  #skip(count: number): true | "malformed" {
    if (this.end - this.at < count) return "malformed";
    this.at += count;
    this.field = 0;
    return true;
  }

  #varint(): bigint | undefined {
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

/** Decodes a KeyValue; undefined if the bytes are not one. `key` and `value` are views. */
export function decodeKeyValue(bytes: Uint8Array): KeyValue | undefined {
  let key: Uint8Array = EMPTY;
  let value: Uint8Array = EMPTY;
  let createRevision = 0n;
  let modRevision = 0n;
  let version = 0n;
  let lease = 0n;
  const fields = new Fields(bytes, 0, bytes.length);
  for (let more = fields.next(); more !== false; more = fields.next()) {
    if (more === "malformed") return undefined;
    const { field, start, length } = fields;
    if (field === 1) key = bytes.subarray(start, start + length);
    else if (field === 2) createRevision = BigInt.asIntN(64, fields.varint);
    else if (field === 3) modRevision = BigInt.asIntN(64, fields.varint);
    else if (field === 4) version = BigInt.asIntN(64, fields.varint);
    else if (field === 5) value = bytes.subarray(start, start + length);
    else if (field === 6) lease = BigInt.asIntN(64, fields.varint);
  }
  return { key, createRevision, modRevision, version, value, lease };
}

/**
 * Finds the user key alone, without making anything.
 * @returns false if the bytes are no KeyValue
 */
export function findUserKey(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: KeyRange,
): boolean {
  const end = offset + length;
  // What etcd writes: tag 0x0a first, then a length of one or two bytes.
  if (length >= 2 && bytes[offset] === 0x0a) {
    let keyBytes = bytes[offset + 1] as number;
    let start = offset + 2;
    if (keyBytes >= 0x80 && length >= 3 && (bytes[offset + 2] as number) < 0x80) {
      keyBytes = (keyBytes & 0x7f) | ((bytes[offset + 2] as number) << 7);
      start++;
    }
    if (keyBytes < 0x4000 && start + keyBytes <= end) {
      into.offset = start;
      into.length = keyBytes;
      return true;
    }
  }
  into.offset = offset;
  into.length = 0;
  const fields = new Fields(bytes, offset, end);
  for (let more = fields.next(); more !== false; more = fields.next()) {
    if (more === "malformed") return false;
    if (fields.field === 1) {
      into.offset = fields.start;
      into.length = fields.length;
    }
  }
  return true;
}
