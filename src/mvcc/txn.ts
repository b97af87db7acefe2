/**
 * Requests on the store: one operation, or a transaction of many. Which branches of a transaction run, those inside
 * included, is decided by the state before it; then everything that could fail is checked; then it runs.
 *
 * @see etcd server/etcdserver/txn/txn.go, and api.md 4.5
 */
import { compareBytes, latin1 } from "../base/bytes.ts";
import { EtcdError } from "../base/errors.ts";
import { decodeKeyValueAt } from "../proto/key-value.ts";
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type TxnRequest,
} from "../proto/messages.ts";
import { type RangeOutcome, rangeAtOnce } from "./range.ts";
import { rangeOf, type Store, type StoreWrite } from "./store.ts";

export interface RangeResult extends RangeOutcome {
  readonly kind: "range";
  /** What the response's header says: inside a transaction, its revision at this point. */
  readonly revision: number;
}

export interface PutResult {
  readonly kind: "put";
  readonly revision: number;
  /** Encoded, as all KeyValues here. */
  readonly prevKv: Uint8Array | undefined;
}

export interface DeleteRangeResult {
  readonly kind: "deleteRange";
  readonly revision: number;
  readonly deleted: number;
  readonly prevKvs: readonly Uint8Array[];
}

export interface TxnResult {
  readonly kind: "txn";
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly OpResult[];
}

export type OpResult = RangeResult | PutResult | DeleteRangeResult | TxnResult;

/** Whether a lease exists; the lessor's. */
export type HasLease = (id: bigint) => boolean;

/** @throws EtcdError LEASE_NOT_FOUND, KEY_NOT_FOUND; then nothing was changed */
export function applyPut(store: Store, hasLease: HasLease, request: PutRequest): PutResult {
  checkPutAgainst(store, hasLease, request);
  const write = store.write();
  const result = put(store, write, request);
  write.end();
  return result;
}

export function applyDeleteRange(store: Store, request: DeleteRangeRequest): DeleteRangeResult {
  const write = store.write();
  const result = deleteRange(store, write, request);
  write.end();
  return result;
}

/** @throws EtcdError LEASE_NOT_FOUND, KEY_NOT_FOUND, FUTURE, COMPACTED; then nothing was changed */
export function applyTxn(store: Store, hasLease: HasLease, txn: TxnRequest): TxnResult {
  const { counts } = store;
  const rangesBefore = counts.ranges;
  const path = pathOf(store, txn);
  checkPath(store, hasLease, path);
  if (isReadOnly(txn)) {
    const result = runTxn(store, undefined, path);
    counts.ended(counts.ranges - rangesBefore);
    return result;
  }
  counts.ended(counts.ranges - rangesBefore);
  const write = store.write();
  const result = runTxn(store, write, path);
  write.end();
  return result;
}

/** Only ranges in both branches: it does not go into the log. As for etcd, one with a transaction inside does. */
export function isReadOnly(txn: TxnRequest): boolean {
  return [...txn.success, ...txn.failure].every(({ kind }) => kind === "range");
}

/** A transaction, with the branch that is taken. */
interface Path {
  readonly succeeded: boolean;
  readonly ops: readonly (
    | RangeRequest
    | PutRequest
    | DeleteRangeRequest
    | { readonly kind: "txn"; readonly path: Path }
  )[];
}

function pathOf(store: Store, txn: TxnRequest): Path {
  const succeeded = txn.compare.every((compare) => holds(store, compare));
  const ops: Path["ops"][number][] = [];
  for (const op of succeeded ? txn.success : txn.failure) {
    if (op.kind === "txn") ops.push({ kind: "txn", path: pathOf(store, op) });
    else if (op.kind !== "none") ops.push(op);
  }
  return { succeeded, ops };
}

function checkPath(store: Store, hasLease: HasLease, { ops }: Path): void {
  for (const op of ops) {
    if (op.kind === "put") {
      if (op.ignoreValue || op.ignoreLease) store.counts.ranges++;
      checkPutAgainst(store, hasLease, op);
    } else if (op.kind === "range") store.readableRevision(op.revision);
    else if (op.kind === "txn") checkPath(store, hasLease, op.path);
  }
}

function checkPutAgainst(store: Store, hasLease: HasLease, request: PutRequest): void {
  const { key, lease, ignoreValue, ignoreLease } = request;
  if (lease !== 0n && !hasLease(lease)) throw new EtcdError("LEASE_NOT_FOUND");
  if ((ignoreValue || ignoreLease) && store.find(latin1(key), Infinity) === undefined) {
    throw new EtcdError("KEY_NOT_FOUND");
  }
}

function runTxn(store: Store, write: StoreWrite | undefined, path: Path): TxnResult {
  const responses = path.ops.map((op): OpResult => {
    if (op.kind === "txn") return runTxn(store, write, op.path);
    if (op.kind === "range" || write === undefined) {
      return range(store, write, op as RangeRequest);
    }
    return op.kind === "put" ? put(store, write, op) : deleteRange(store, write, op);
  });
  const revision = write?.revision ?? store.currentRevision;
  return { kind: "txn", revision, succeeded: path.succeeded, responses };
}

function range(store: Store, write: StoreWrite | undefined, request: RangeRequest): RangeResult {
  const revision = write?.revision ?? store.currentRevision;
  const now = write === undefined ? revision : Infinity;
  const atRev = request.revision <= 0 ? now : request.revision;
  return { kind: "range", revision, ...rangeAtOnce(store, request, atRev) };
}

function put(store: Store, write: StoreWrite, request: PutRequest): PutResult {
  const { key, prevKv, ignoreValue, ignoreLease } = request;
  let { value, lease } = request;
  let prev: Uint8Array | undefined;
  if (prevKv || ignoreValue || ignoreLease) {
    store.counts.ranges++;
    const found = store.find(latin1(key), Infinity);
    if (found !== undefined) {
      prev = store.recordCopy(found.main, found.sub);
      const old = decodeKeyValueAt(prev, 0, prev.length);
      if (ignoreValue && old !== undefined) value = old.value;
      if (ignoreLease && old !== undefined) lease = old.lease;
    }
  }
  write.put(key, value, lease);
  return { kind: "put", revision: write.revision, prevKv: prevKv ? prev : undefined };
}

function deleteRange(
  store: Store,
  write: StoreWrite,
  { key, rangeEnd, prevKv }: DeleteRangeRequest,
): DeleteRangeResult {
  const keys = rangeOf(key, rangeEnd);
  const prevKvs: Uint8Array[] = [];
  if (prevKv) {
    store.counts.ranges++;
    store.index.range(keys.start, keys.end, Infinity, (_, { main, sub }) => {
      prevKvs.push(store.recordCopy(main, sub));
      return true;
    });
  }
  const deleted = write.deleteRange(keys);
  return { kind: "deleteRange", revision: write.revision, deleted, prevKvs };
}

const NO_VALUE = new Uint8Array(0);

/** Every key of the range must do; a range without a key counts as one key that is missing. */
function holds(store: Store, compare: Compare): boolean {
  store.counts.ranges++;
  const { start, end } = rangeOf(compare.key, compare.rangeEnd);
  let seen = false;
  let all = true;
  store.index.range(start, end, store.currentRevision, (_, { main, sub, create, version }) => {
    seen = true;
    all = holdsFor(store, compare, { main, sub, create, version });
    return all;
  });
  return seen ? all : holdsFor(store, compare, undefined);
}

function holdsFor(
  store: Store,
  compare: Compare,
  found: { main: number; sub: number; create: number; version: number } | undefined,
): boolean {
  const { target, operand } = compare;
  const number =
    operand !== undefined && "number" in operand && operand.target === target ? operand.number : 0;
  switch (target) {
    case CompareTarget.version:
      return fits(compare, (found?.version ?? 0) - number);
    case CompareTarget.create:
      return fits(compare, (found?.create ?? 0) - number);
    case CompareTarget.mod:
      return fits(compare, (found?.main ?? 0) - number);
    case CompareTarget.value: {
      if (found === undefined) return false;
      const wanted = operand?.target === CompareTarget.value ? operand.value : NO_VALUE;
      return fits(compare, compareBytes(keyValue(store, found).value, wanted));
    }
    case CompareTarget.lease: {
      const wanted = operand?.target === CompareTarget.lease ? operand.lease : 0n;
      const lease = found === undefined ? 0n : keyValue(store, found).lease;
      return fits(compare, lease < wanted ? -1 : lease > wanted ? 1 : 0);
    }
    default:
      return fits(compare, 0);
  }
}

function keyValue(
  store: Store,
  { main, sub }: { main: number; sub: number },
): { value: Uint8Array; lease: bigint } {
  const { bytes, offset, length } = store.record(main, sub);
  return decodeKeyValueAt(bytes, offset, length) ?? { value: NO_VALUE, lease: 0n };
}

/** @param order  of what is there to what is wanted: negative, zero, positive */
function fits({ result }: Compare, order: number): boolean {
  switch (result) {
    case CompareResult.equal:
      return order === 0;
    case CompareResult.notEqual:
      return order !== 0;
    case CompareResult.greater:
      return order > 0;
    case CompareResult.less:
      return order < 0;
    default:
      return true;
  }
}
