/**
 * What is wrong with a request by itself, before anything is looked up. Nothing of it depends on the store, so it is
 * refused before it reaches the log.
 *
 * @see etcd server/etcdserver/api/v3rpc/key.go, and api.md 4
 */
import { latin1 } from "../base/bytes.ts";
import { EtcdError } from "../base/errors.ts";
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../proto/messages.ts";

/** etcd's --max-txn-ops. */
export const TXN_OPS_MAX = 128;

/** @throws EtcdError EMPTY_KEY, INVALID_SORT_OPTION */
export function checkRange({ key, sortOrder, sortTarget }: RangeRequest): void {
  if (key.length === 0) throw new EtcdError("EMPTY_KEY");
  if (!isOneOf(sortOrder, 2) || !isOneOf(sortTarget, 4)) throw new EtcdError("INVALID_SORT_OPTION");
}

/** @throws EtcdError EMPTY_KEY, VALUE_PROVIDED, LEASE_PROVIDED */
export function checkPut({ key, value, lease, ignoreValue, ignoreLease }: PutRequest): void {
  if (key.length === 0) throw new EtcdError("EMPTY_KEY");
  if (ignoreValue && value.length > 0) throw new EtcdError("VALUE_PROVIDED");
  if (ignoreLease && lease !== 0n) throw new EtcdError("LEASE_PROVIDED");
}

/** @throws EtcdError EMPTY_KEY */
export function checkDeleteRange({ key }: DeleteRangeRequest): void {
  if (key.length === 0) throw new EtcdError("EMPTY_KEY");
}

/**
 * @param opsMax  what is left for this transaction; one inside it has what its longest list leaves over
 * @throws EtcdError TOO_MANY_OPS, DUPLICATE_KEY, KEY_NOT_FOUND for an operation that is none, and what the operations'
 *   own checks throw
 */
export function checkTxn(txn: TxnRequest, opsMax: number = TXN_OPS_MAX): void {
  checkOps(txn, opsMax);
  for (const branch of [txn.success, txn.failure]) checkDuplicates(branch);
}

function checkOps({ compare, success, failure }: TxnRequest, opsMax: number): void {
  const ops = Math.max(compare.length, success.length, failure.length);
  if (ops > opsMax) throw new EtcdError("TOO_MANY_OPS");
  for (const { key } of compare) if (key.length === 0) throw new EtcdError("EMPTY_KEY");
  for (const branch of [success, failure]) {
    for (const op of branch) checkOp(op, opsMax - ops);
  }
}

function checkOp(op: RequestOp, opsLeft: number): void {
  switch (op.kind) {
    case "range":
      checkRange(op);
      break;
    case "put":
      checkPut(op);
      break;
    case "deleteRange":
      checkDeleteRange(op);
      break;
    case "txn":
      checkOps(op, opsLeft);
      break;
    case "none":
      throw new EtcdError("KEY_NOT_FOUND");
  }
}

interface Touched {
  readonly puts: Set<string>;
  readonly deletes: { readonly start: string; readonly end: string }[];
}

/**
 * No key is put twice in what may run together, nor put and deleted. Of a transaction inside only one branch runs, so
 * its two may put the same key.
 */
function checkDuplicates(ops: readonly RequestOp[]): Touched {
  const all: Touched = { puts: new Set(), deletes: [] };
  // As etcd: deletes of this level count for every put in it, those of a transaction inside only for what comes later.
  for (const op of ops) {
    if (op.kind === "deleteRange") {
      all.deletes.push({ start: latin1(op.key), end: latin1(op.rangeEnd) });
    }
  }
  for (const op of ops) {
    if (op.kind !== "txn") continue;
    const success = checkDuplicates(op.success);
    const failure = checkDuplicates(op.failure);
    const puts = new Set([...success.puts, ...failure.puts]);
    const deletes = [...success.deletes, ...failure.deletes];
    for (const key of puts) {
      if (all.puts.has(key) || isDeleted(key, all.deletes)) throw new EtcdError("DUPLICATE_KEY");
    }
    for (const key of puts) all.puts.add(key);
    all.deletes.push(...deletes);
  }
  for (const op of ops) {
    if (op.kind !== "put") continue;
    const key = latin1(op.key);
    if (all.puts.has(key) || isDeleted(key, all.deletes)) throw new EtcdError("DUPLICATE_KEY");
    all.puts.add(key);
  }
  return all;
}

function isDeleted(key: string, ranges: Touched["deletes"]): boolean {
  return ranges.some(({ start, end }) => {
    if (end === "") return key === start;
    // For etcd an end of "\0" stands before every key here, so what deletes from a key on does not count.
    return key >= start && key < end;
  });
}

function isOneOf(value: number, last: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= last;
}
