/**
 * A value of bucket `key`: protobuf mvccpb.KeyValue,
 * 1 key: bytes, 2 create_revision, 3 mod_revision, 4 version: int64, 5 value: bytes, 6 lease: int64.
 */
import { ProtoFields } from "../base/protobuf.ts";

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

/** What each field must be: 1 a number, 2 bytes. */
const FIELD_KINDS: readonly (1 | 2 | undefined)[] = [undefined, 2, 1, 1, 1, 2, 1];

/** Decodes a KeyValue; undefined if the bytes are not one. `key` and `value` are views. */
export function decodeKeyValue(bytes: Uint8Array): KeyValue | undefined {
  let key: Uint8Array = EMPTY;
  let value: Uint8Array = EMPTY;
  let createRevision = 0n;
  let modRevision = 0n;
  let version = 0n;
  let lease = 0n;
  const fields = new ProtoFields(bytes, 0, bytes.length);
  for (let more = fields.next(); more !== false; more = fields.next()) {
    if (more === "malformed") return undefined;
    const { field, kind } = fields;
    if (FIELD_KINDS[field] !== undefined && FIELD_KINDS[field] !== kind) return undefined;
    if (field === 1) key = fields.view();
    else if (field === 2) createRevision = fields.int64();
    else if (field === 3) modRevision = fields.int64();
    else if (field === 4) version = fields.int64();
    else if (field === 5) value = fields.view();
    else if (field === 6) lease = fields.int64();
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
  const fields = new ProtoFields(bytes, offset, end);
  for (let more = fields.next(); more !== false; more = fields.next()) {
    if (more === "malformed") return false;
    if (fields.field === 1) {
      if (fields.kind !== 2) return false;
      into.offset = fields.start;
      into.length = fields.length;
    }
  }
  return true;
}

/** Where the value lies in an encoded KeyValue, and the lease it is attached to. */
export interface ValueRange extends KeyRange {
  lease: bigint;
}

/**
 * Finds the value and the lease alone, making nothing unless there is a lease.
 * @returns false if the bytes are no KeyValue
 */
export function findValue(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: ValueRange,
): boolean {
  const end = offset + length;
  into.offset = end;
  into.length = 0;
  into.lease = 0n;
  let at = offset;
  // Tags of one byte, in whatever order; lengths and numbers are passed over without being worked out in 64 bits.
  while (at < end) {
    const tag = bytes[at++] as number;
    const field = tag >>> 3;
    if (tag >= 0x80 || (tag & 7) !== ((FIELD_KINDS[field] ?? 9) === 2 ? 2 : 0)) {
      return findValueSlowly(bytes, offset, end, into);
    }
    if (field === 6) {
      return findValueSlowly(bytes, offset, end, into);
    }
    let value = 0;
    let scale = 1;
    let byte = 0x80;
    while (byte >= 0x80) {
      if (at >= end || scale > 2 ** 63) return false;
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if ((tag & 7) === 0) continue;
    if (value > end - at) return false;
    if (field === 5) {
      into.offset = at;
      into.length = value;
    }
    at += value;
  }
  return true;
}

function findValueSlowly(
  bytes: Uint8Array,
  offset: number,
  end: number,
  into: ValueRange,
): boolean {
  const kv = decodeKeyValue(bytes.subarray(offset, end));
  if (kv === undefined) return false;
  into.lease = kv.lease;
  into.offset = kv.value === EMPTY ? end : kv.value.byteOffset - bytes.byteOffset;
  into.length = kv.value.length;
  return true;
}
