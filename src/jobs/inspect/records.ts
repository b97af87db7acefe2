/** The rows of bucket `key`, one after another, without an object for each. */

import { isRevision, TOMBSTONE_BYTES } from "../../backend/revision.ts";
import { readU64BE } from "../../base/bytes.ts";
import { findUserKey, type KeyRange } from "../../mvcc/key-value.ts";
import {
  BUCKET_ELEMENT,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
} from "../../pagefile/page.ts";
import type { Faults } from "./faults.ts";

/** A row, in place; the next one comes in the same object. */
export class RecordView {
  page: Page | undefined;
  index = 0;
  bytes: Uint8Array = new Uint8Array(0);
  /** Of the revision, exact below 2^53. */
  main = 0;
  sub = 0;
  tombstone = false;
  keyOffset = 0;
  /** The KeyValue. */
  valueOffset = 0;
  valueBytes = 0;
  readonly userKey: KeyRange = { offset: 0, length: 0 };
}

const record = new RecordView();

/** Calls `each` at every row of a leaf of bucket `key`; a row that is none is a fault. */
export function eachRecord(
  page: Page,
  pageBytes: number,
  faults: Faults,
  each: (record: RecordView) => void,
): void {
  const { bytes, view } = page;
  record.page = page;
  record.bytes = bytes;
  for (let i = 0; i < page.count; i++) {
    const offset = leafKeyOffset(page, i);
    const length = leafKeyBytes(page, i);
    const at = page.id * pageBytes + offset - page.base;
    if ((leafFlags(page, i) & BUCKET_ELEMENT) !== 0) {
      faults.add('bucket "key" holds a bucket', at);
      continue;
    }
    if (!isRevision(bytes, offset, length)) {
      faults.add(`a key of bucket "key" is no revision (${length} bytes)`, at);
      continue;
    }
    record.index = i;
    record.keyOffset = offset;
    record.main = readU64BE(view, offset);
    record.sub = readU64BE(view, offset + 9);
    record.tombstone = length === TOMBSTONE_BYTES;
    record.valueOffset = offset + length;
    record.valueBytes = leafValueBytes(page, i);
    if (!findUserKey(bytes, record.valueOffset, record.valueBytes, record.userKey)) {
      faults.add(`revision ${record.main}_${record.sub}: the value is no KeyValue`, at + length);
      continue;
    }
    each(record);
  }
}

/** Which user keys an inspection is about. */
export interface KeyFilter {
  readonly key?: Uint8Array;
  readonly prefix?: Uint8Array;
}

export function matches(filter: KeyFilter, { bytes, userKey }: RecordView): boolean {
  const { key, prefix } = filter;
  const wanted = key ?? prefix;
  if (wanted === undefined) return true;
  const { offset, length } = userKey;
  if (key !== undefined ? length !== wanted.length : length < wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[offset + i] !== wanted[i]) return false;
  return true;
}
