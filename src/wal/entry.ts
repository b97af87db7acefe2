/** raftpb.Entry: 1 Type, 2 Term, 3 Index (always written, even if zero), 4 Data (absent if null). */
import { invariant } from "../base/invariant.ts";
import { FieldReader, putVarint, varintBytes } from "../proto/protobuf.ts";

export const EntryType = { normal: 0, confChange: 1, confChangeV2: 2 } as const;

export type EntryType = (typeof EntryType)[keyof typeof EntryType];

export interface Entry {
  readonly type: EntryType;
  /** Whole, below 2^53, as is the index. */
  readonly term: number;
  readonly index: number;
  /** What etcd calls a request, or empty; opaque here. Absent and empty are different bytes, and the same to etcd. */
  readonly data: Uint8Array | undefined;
}

/** Without its data. */
export function entryHeadBytes({ term, index, data }: Entry): number {
  const dataHead = data === undefined ? 0 : 1 + varintBytes(data.length);
  return 4 + varintBytes(term) + varintBytes(index) + dataHead;
}

/** All but the data, which follows at the offset that is returned. */
export function putEntryHead(bytes: Uint8Array, at: number, entry: Entry): number {
  bytes[at] = 0x08;
  bytes[at + 1] = entry.type;
  bytes[at + 2] = 0x10;
  let to = putVarint(bytes, at + 3, entry.term);
  bytes[to] = 0x18;
  to = putVarint(bytes, to + 1, entry.index);
  if (entry.data === undefined) return to;
  bytes[to] = 0x22;
  return putVarint(bytes, to + 1, entry.data.length);
}

export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(entryHeadBytes(entry) + (entry.data?.length ?? 0));
  const end = putEntryHead(bytes, 0, entry);
  if (entry.data) bytes.set(entry.data, end);
  invariant(end + (entry.data?.length ?? 0) === bytes.length, "an entry is as long as announced");
  return bytes;
}

const fields = new FieldReader();

/** @returns the entry, its data a view of `bytes`; or what is wrong with it */
export function decodeEntry(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Entry | string {
  let type = 0;
  let term = 0;
  let index = 0;
  let data: Uint8Array | undefined;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) type = fields.number;
    else if (fields.field === 2 && fields.is(0)) term = fields.number;
    else if (fields.field === 3 && fields.is(0)) index = fields.number;
    else if (fields.field === 4 && fields.is(2)) data = fields.view;
  }
  if (fields.fault !== undefined) return fields.fault;
  if (type !== 0 && type !== 1 && type !== 2) return `an entry of type ${type}`;
  return { type, term, index, data };
}
