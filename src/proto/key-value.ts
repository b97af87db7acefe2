/**
 * mvccpb.KeyValue, a value of bucket `key`: 1 key, 2 create_revision, 3 mod_revision, 4 version, 5 value, 6 lease; zero
 * and empty ones left out. A tombstone has the key alone.
 *
 * Revisions and versions are numbers, exact below 2^53, where every store stays.
 */
import { EMPTY_BYTES, FieldReader, putVarint } from "./protobuf.ts";
import { putUint64 } from "./uint64.ts";

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  /** 0: none. */
  readonly lease: bigint;
}

const KEY = 0x0a;
const CREATE_REVISION = 0x10;
const MOD_REVISION = 0x18;
const VERSION = 0x20;
const VALUE = 0x2a;
const LEASE = 0x30;

/** Two tags and lengths of 32 bits, three of 53 bits, a lease. */
const SCALARS_BYTES_MAX: number = 2 * (1 + 5) + 3 * (1 + 8) + (1 + 10);

/** Below this, copying byte by byte beats a call. */
const SHORT_BYTES = 24;

/** Room for any KeyValue with a key and a value of these lengths. */
export function keyValueBytesMax(keyBytes: number, valueBytes: number): number {
  return keyBytes + valueBytes + SCALARS_BYTES_MAX;
}

/** Writes a KeyValue at `at`, into room for it. @returns where it ends */
export function putKeyValue(
  bytes: Uint8Array,
  at: number,
  key: Uint8Array,
  createRevision: number,
  modRevision: number,
  version: number,
  value: Uint8Array,
  lease: bigint,
): number {
  let to = putBytes(bytes, at, KEY, key);
  to = putNumber(bytes, to, CREATE_REVISION, createRevision);
  to = putNumber(bytes, to, MOD_REVISION, modRevision);
  to = putNumber(bytes, to, VERSION, version);
  to = putBytes(bytes, to, VALUE, value);
  if (lease === 0n) return to;
  bytes[to] = LEASE;
  return putUint64(bytes, to + 1, lease);
}

/** Writes what stands for a deleted key. @returns where it ends */
export function putTombstone(bytes: Uint8Array, at: number, key: Uint8Array): number {
  return putBytes(bytes, at, KEY, key);
}

function putNumber(bytes: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  bytes[at] = tag;
  return putVarint(bytes, at + 1, value);
}

function putBytes(bytes: Uint8Array, at: number, tag: number, value: Uint8Array): number {
  const { length } = value;
  if (length === 0) return at;
  bytes[at] = tag;
  const to = putVarint(bytes, at + 1, length);
  if (length > SHORT_BYTES) bytes.set(value, to);
  else for (let i = 0; i < length; i++) bytes[to + i] = value[i] as number;
  return to + length;
}

const fields = new FieldReader();

/** @returns the KeyValue, key and value as views of `bytes`; undefined if the range holds none */
export function decodeKeyValueAt(
  bytes: Uint8Array,
  offset: number,
  length: number,
): KeyValue | undefined {
  let key = EMPTY_BYTES;
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  let value = EMPTY_BYTES;
  let lease = 0n;
  fields.open(bytes, offset, offset + length);
  while (fields.next()) {
    const { field } = fields;
    if (field > 6 || !fields.is(field === 1 || field === 5 ? 2 : 0)) continue;
    if (field === 1) key = fields.view;
    else if (field === 2) createRevision = fields.int64;
    else if (field === 3) modRevision = fields.int64;
    else if (field === 4) version = fields.int64;
    else if (field === 5) value = fields.view;
    else lease = fields.int64Big;
  }
  if (fields.fault !== undefined) return undefined;
  return { key, createRevision, modRevision, version, value, lease };
}
