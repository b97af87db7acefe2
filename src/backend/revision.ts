/**
 * A revision as the key of bucket `key`: main: i64 BE | '_' | sub: i64 BE, and 't' after it for a tombstone.
 * @see etcd server/storage/mvcc/revision.go
 */
import { readU64BE, viewOf, writeU64BE } from "../base/bytes.ts";

export const REVISION_BYTES = 17;
export const TOMBSTONE_BYTES = 18;

const SEPARATOR = 0x5f;
const TOMBSTONE = 0x74;

export interface Revision {
  /** Counts write transactions; the first is 2. */
  readonly main: number;
  /** Counts changes within one transaction, from 0. */
  readonly sub: number;
  readonly tombstone: boolean;
}

/** Whether the bytes have the shape of a revision. */
export function isRevision(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length !== REVISION_BYTES && length !== TOMBSTONE_BYTES) return false;
  if (bytes[offset + 8] !== SEPARATOR) return false;
  // Both numbers are signed: the top bit is never set.
  if (((bytes[offset] as number) | (bytes[offset + 9] as number)) & 0x80) return false;
  return length === REVISION_BYTES || bytes[offset + REVISION_BYTES] === TOMBSTONE;
}

/** Reads a revision; undefined if the bytes have not its shape. Exact below 2^53. */
export function readRevision(key: Uint8Array): Revision | undefined {
  if (!isRevision(key, 0, key.length)) return undefined;
  const view = viewOf(key);
  return {
    main: readU64BE(view, 0),
    sub: readU64BE(view, 9),
    tombstone: key.length === TOMBSTONE_BYTES,
  };
}

/** @param main, sub  0 ≤ each < 2^53 */
export function encodeRevision(main: number, sub: number, tombstone = false): Uint8Array {
  const key = new Uint8Array(tombstone ? TOMBSTONE_BYTES : REVISION_BYTES);
  putRevision(key, viewOf(key), 0, main, sub, tombstone);
  return key;
}

/** Writes a revision into memory that is there. @returns where it ends */
export function putRevision(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  main: number,
  sub: number,
  tombstone: boolean,
): number {
  writeU64BE(view, at, main);
  bytes[at + 8] = SEPARATOR;
  writeU64BE(view, at + 9, sub);
  if (!tombstone) return at + REVISION_BYTES;
  bytes[at + REVISION_BYTES] = TOMBSTONE;
  return at + TOMBSTONE_BYTES;
}

/** Whether the revision at a place of two columns comes before another. */
export function isBefore(
  mains: Float64Array,
  subs: Uint32Array,
  at: number,
  main: number,
  sub: number,
): boolean {
  const there = mains[at] as number;
  return there === main ? (subs[at] as number) < sub : there < main;
}
