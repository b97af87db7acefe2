/**
 * etcdserverpb's requests to the key space, on their own: what a client sends and what the log keeps inside its
 * requests. Decoded keys and values are views of the bytes.
 *
 * @see etcd api/etcdserverpb/rpc.proto for the field numbers
 */
import { TXN_DEPTH_MAX } from "../base/limits.ts";
import { type MessageWriter, written } from "./message-writer.ts";
import type {
  CompactionRequest,
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "./messages.ts";
import { EMPTY_BYTES, FieldReader } from "./protobuf.ts";

/** For messages that hold no others. */
const fields = new FieldReader();

export function encodeRange(range: RangeRequest): Uint8Array {
  return written(writeRange, range);
}

export function writeRange(to: MessageWriter, range: RangeRequest): void {
  to.int64(13, range.maxCreateRevision);
  to.int64(12, range.minCreateRevision);
  to.int64(11, range.maxModRevision);
  to.int64(10, range.minModRevision);
  to.bool(9, range.countOnly);
  to.bool(8, range.keysOnly);
  to.bool(7, range.serializable);
  to.int64(6, range.sortTarget);
  to.int64(5, range.sortOrder);
  to.int64(4, range.revision);
  to.int64(3, range.limit);
  to.bytes(2, range.rangeEnd);
  to.bytes(1, range.key);
}

/** @returns the request, or what is wrong with the bytes; so do all that follow */
export function decodeRange(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): RangeRequest | string {
  const range = {
    kind: "range" as const,
    key: EMPTY_BYTES,
    rangeEnd: EMPTY_BYTES,
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
  fields.open(bytes, start, end);
  while (fields.next()) {
    const { field } = fields;
    if (field > 13 || !fields.is(field <= 2 ? 2 : 0)) continue;
    if (field === 1) range.key = fields.view;
    else if (field === 2) range.rangeEnd = fields.view;
    else if (field === 3) range.limit = fields.int64;
    else if (field === 4) range.revision = fields.int64;
    else if (field === 5) range.sortOrder = fields.int32;
    else if (field === 6) range.sortTarget = fields.int32;
    else if (field === 7) range.serializable = fields.bool;
    else if (field === 8) range.keysOnly = fields.bool;
    else if (field === 9) range.countOnly = fields.bool;
    else if (field === 10) range.minModRevision = fields.int64;
    else if (field === 11) range.maxModRevision = fields.int64;
    else if (field === 12) range.minCreateRevision = fields.int64;
    else range.maxCreateRevision = fields.int64;
  }
  return fields.fault ?? range;
}

export function encodePut(put: PutRequest): Uint8Array {
  return written(writePut, put);
}

export function writePut(to: MessageWriter, put: PutRequest): void {
  to.bool(6, put.ignoreLease);
  to.bool(5, put.ignoreValue);
  to.bool(4, put.prevKv);
  to.bigint(3, put.lease);
  to.bytes(2, put.value);
  to.bytes(1, put.key);
}

export function decodePut(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): PutRequest | string {
  let key = EMPTY_BYTES;
  let value = EMPTY_BYTES;
  let lease = 0n;
  let prevKv = false;
  let ignoreValue = false;
  let ignoreLease = false;
  fields.open(bytes, start, end);
  while (fields.next()) {
    const { field } = fields;
    if (field > 6 || !fields.is(field <= 2 ? 2 : 0)) continue;
    if (field === 1) key = fields.view;
    else if (field === 2) value = fields.view;
    else if (field === 3) lease = fields.int64Big;
    else if (field === 4) prevKv = fields.bool;
    else if (field === 5) ignoreValue = fields.bool;
    else ignoreLease = fields.bool;
  }
  return fields.fault ?? { kind: "put", key, value, lease, prevKv, ignoreValue, ignoreLease };
}

export function encodeDeleteRange(deleteRange: DeleteRangeRequest): Uint8Array {
  return written(writeDeleteRange, deleteRange);
}

export function writeDeleteRange(to: MessageWriter, deleteRange: DeleteRangeRequest): void {
  to.bool(3, deleteRange.prevKv);
  to.bytes(2, deleteRange.rangeEnd);
  to.bytes(1, deleteRange.key);
}

export function decodeDeleteRange(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): DeleteRangeRequest | string {
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  let prevKv = false;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(2)) key = fields.view;
    else if (fields.field === 2 && fields.is(2)) rangeEnd = fields.view;
    else if (fields.field === 3 && fields.is(0)) prevKv = fields.bool;
  }
  return fields.fault ?? { kind: "deleteRange", key, rangeEnd, prevKv };
}

export function encodeCompaction(compaction: CompactionRequest): Uint8Array {
  return written(writeCompaction, compaction);
}

export function writeCompaction(to: MessageWriter, compaction: CompactionRequest): void {
  to.bool(2, compaction.physical);
  to.int64(1, compaction.revision);
}

export function decodeCompaction(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): CompactionRequest | string {
  let revision = 0;
  let physical = false;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) revision = fields.int64;
    else if (fields.field === 2 && fields.is(0)) physical = fields.bool;
  }
  return fields.fault ?? { kind: "compaction", revision, physical };
}

export function encodeCompare(compare: Compare): Uint8Array {
  return written(writeCompare, compare);
}

/** The operand is one of a union: written even if it is zero. */
export function writeCompare(to: MessageWriter, compare: Compare): void {
  to.bytes(64, compare.rangeEnd);
  const { operand } = compare;
  if (operand?.target === 4) to.presentBigint(8, operand.lease);
  else if (operand?.target === 3) to.presentBytes(7, operand.value);
  else if (operand !== undefined) to.presentInt64(4 + operand.target, operand.number);
  to.bytes(3, compare.key);
  to.int64(2, compare.target);
  to.int64(1, compare.result);
}

export function decodeCompare(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Compare | string {
  let result = 0;
  let target = 0;
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  let operand: Compare["operand"];
  fields.open(bytes, start, end);
  while (fields.next()) {
    const { field } = fields;
    const isBytes = field === 3 || field === 7 || field === 64;
    if ((field > 8 && field !== 64) || !fields.is(isBytes ? 2 : 0)) continue;
    if (field === 1) result = fields.int32;
    else if (field === 2) target = fields.int32;
    else if (field === 3) key = fields.view;
    else if (field === 7) operand = { target: 3, value: fields.view };
    else if (field === 8) operand = { target: 4, lease: fields.int64Big };
    else if (field === 64) rangeEnd = fields.view;
    else operand = { target: (field - 4) as 0 | 1 | 2, number: fields.int64 };
  }
  return fields.fault ?? { result, target, key, rangeEnd, operand };
}

export function encodeTxn(txn: TxnRequest): Uint8Array {
  return written(writeTxn, txn);
}

export function writeTxn(to: MessageWriter, txn: TxnRequest): void {
  writeOps(to, 3, txn.failure);
  writeOps(to, 2, txn.success);
  for (let i = txn.compare.length - 1; i >= 0; i--) {
    const before = to.length;
    writeCompare(to, txn.compare[i] as Compare);
    to.message(1, before);
  }
}

function writeOps(to: MessageWriter, field: number, ops: readonly RequestOp[]): void {
  for (let i = ops.length - 1; i >= 0; i--) {
    const before = to.length;
    writeOp(to, ops[i] as RequestOp);
    to.message(field, before);
  }
}

function writeOp(to: MessageWriter, op: RequestOp): void {
  const before = to.length;
  switch (op.kind) {
    case "range":
      writeRange(to, op);
      to.message(1, before);
      break;
    case "put":
      writePut(to, op);
      to.message(2, before);
      break;
    case "deleteRange":
      writeDeleteRange(to, op);
      to.message(3, before);
      break;
    case "txn":
      writeTxn(to, op);
      to.message(4, before);
      break;
    case "none":
      break;
  }
}

/** @param depth  how many transactions it is within, itself counted: at most TXN_DEPTH_MAX. */
export function decodeTxn(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  depth = 1,
): TxnRequest | string {
  if (depth > TXN_DEPTH_MAX) return `transactions within transactions, more than ${TXN_DEPTH_MAX}`;
  const compare: Compare[] = [];
  const success: RequestOp[] = [];
  const failure: RequestOp[] = [];
  const outer = new FieldReader().open(bytes, start, end);
  while (outer.next()) {
    const { field } = outer;
    if (field > 3 || !outer.is(2)) continue;
    const memberEnd = outer.start + outer.length;
    if (field === 1) {
      const decoded = decodeCompare(bytes, outer.start, memberEnd);
      if (typeof decoded === "string") return `compare: ${decoded}`;
      compare.push(decoded);
    } else {
      const decoded = decodeOp(bytes, outer.start, memberEnd, depth);
      if (typeof decoded === "string") return decoded;
      (field === 2 ? success : failure).push(decoded);
    }
  }
  return outer.fault ?? { kind: "txn", compare, success, failure };
}

const NO_OP: RequestOp = { kind: "none" };

/** Of several members of the union, the last one counts. */
function decodeOp(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): RequestOp | string {
  let op = NO_OP;
  const outer = new FieldReader().open(bytes, start, end);
  while (outer.next()) {
    const { field } = outer;
    if (field > 4 || !outer.is(2)) continue;
    const memberEnd = outer.start + outer.length;
    const decoded =
      field === 1
        ? decodeRange(bytes, outer.start, memberEnd)
        : field === 2
          ? decodePut(bytes, outer.start, memberEnd)
          : field === 3
            ? decodeDeleteRange(bytes, outer.start, memberEnd)
            : decodeTxn(bytes, outer.start, memberEnd, depth + 1);
    if (typeof decoded === "string") return decoded;
    op = decoded;
  }
  return outer.fault ?? op;
}
