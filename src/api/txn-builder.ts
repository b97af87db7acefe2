/** A transaction as a caller writes it, and as a request. */
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  SortOrder,
  SortTarget,
  type TxnRequest,
} from "../proto/messages.ts";
import { bytesOf, type Key, type Keys, requestRange } from "./key-range.ts";
import { int64, wholeNumber } from "./whole-number.ts";

export interface PutOptions {
  /** That the key is to hang on; 0n or none: it hangs on none from now on. */
  readonly lease?: bigint | undefined;
  /** Give back what the key was. */
  readonly prevKv?: boolean | undefined;
  /** Keep the key's value: only its lease and its revision change. The value must be empty. */
  readonly ignoreValue?: boolean | undefined;
  /** Keep the key's lease. */
  readonly ignoreLease?: boolean | undefined;
}

export interface DeleteOptions {
  /** Give back what was deleted. */
  readonly prevKv?: boolean | undefined;
}

export interface RangeOptions {
  /** What the keys were at a revision; none or 0: as they are now. */
  readonly revision?: bigint | number | undefined;
  /** No more than so many; none or 0: all. */
  readonly limit?: number | undefined;
  readonly sortBy?: keyof typeof SortTarget | undefined;
  readonly order?: "ascend" | "descend" | undefined;
  /** Leave the values out. */
  readonly keysOnly?: boolean | undefined;
  readonly minModRevision?: bigint | number | undefined;
  readonly maxModRevision?: bigint | number | undefined;
  readonly minCreateRevision?: bigint | number | undefined;
  readonly maxCreateRevision?: bigint | number | undefined;
}

export function putRequest(key: Key, value: Key, options: PutOptions = {}): PutRequest {
  return {
    kind: "put",
    key: bytesOf(key),
    value: bytesOf(value),
    lease: int64(options.lease ?? 0n, "a lease"),
    prevKv: options.prevKv ?? false,
    ignoreValue: options.ignoreValue ?? false,
    ignoreLease: options.ignoreLease ?? false,
  };
}

export function deleteRequest(keys: Keys, options: DeleteOptions = {}): DeleteRangeRequest {
  return { kind: "deleteRange", ...requestRange(keys), prevKv: options.prevKv ?? false };
}

export function rangeRequest(
  keys: Keys,
  options: RangeOptions & { readonly countOnly?: boolean } = {},
): RangeRequest {
  const { order } = options;
  return {
    kind: "range",
    ...requestRange(keys),
    limit: wholeNumber(options.limit ?? 0, "limit"),
    revision: wholeNumber(options.revision ?? 0, "revision"),
    sortOrder: order === undefined ? SortOrder.none : SortOrder[order],
    sortTarget: SortTarget[options.sortBy ?? "key"],
    serializable: false,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: wholeNumber(options.minModRevision ?? 0, "minModRevision"),
    maxModRevision: wholeNumber(options.maxModRevision ?? 0, "maxModRevision"),
    minCreateRevision: wholeNumber(options.minCreateRevision ?? 0, "minCreateRevision"),
    maxCreateRevision: wholeNumber(options.maxCreateRevision ?? 0, "maxCreateRevision"),
  };
}

export type Relation = "=" | "!=" | ">" | "<";

const RESULTS: Readonly<Record<Relation, number>> = {
  "=": CompareResult.equal,
  "!=": CompareResult.notEqual,
  ">": CompareResult.greater,
  "<": CompareResult.less,
};

/** Of a key, or of every key of a range. A missing key has version, revisions and lease 0, and no value to compare. */
export interface CompareBuilder {
  value(keys: Keys, relation: Relation, value: Key): Compare;
  /** 0 = the key is not there. */
  version(keys: Keys, relation: Relation, version: bigint | number): Compare;
  createRevision(keys: Keys, relation: Relation, revision: bigint | number): Compare;
  modRevision(keys: Keys, relation: Relation, revision: bigint | number): Compare;
  lease(keys: Keys, relation: Relation, lease: bigint): Compare;
}

export const compare: CompareBuilder = {
  value: (keys, relation, value) =>
    comparison(keys, relation, { target: CompareTarget.value, value: bytesOf(value) }),
  version: (keys, relation, version) =>
    comparison(keys, relation, {
      target: CompareTarget.version,
      number: wholeNumber(version, "version"),
    }),
  createRevision: (keys, relation, revision) =>
    comparison(keys, relation, {
      target: CompareTarget.create,
      number: wholeNumber(revision, "revision"),
    }),
  modRevision: (keys, relation, revision) =>
    comparison(keys, relation, {
      target: CompareTarget.mod,
      number: wholeNumber(revision, "revision"),
    }),
  lease: (keys, relation, lease) =>
    comparison(keys, relation, { target: CompareTarget.lease, lease: int64(lease, "a lease") }),
};

function comparison(
  keys: Keys,
  relation: Relation,
  operand: NonNullable<Compare["operand"]>,
): Compare {
  return { ...requestRange(keys), result: RESULTS[relation], target: operand.target, operand };
}

/** What a transaction does. */
export interface OpBuilder {
  get(keys: Keys, options?: RangeOptions): RequestOp;
  put(key: Key, value: Key, options?: PutOptions): RequestOp;
  delete(keys: Keys, options?: DeleteOptions): RequestOp;
  txn(txn: Txn): RequestOp;
}

export const op: OpBuilder = {
  get: (keys, options) => rangeRequest(keys, options),
  put: (key, value, options) => putRequest(key, value, options),
  delete: (keys, options) => deleteRequest(keys, options),
  txn: (txn) => txnRequest(txn),
};

/** All comparisons hold: `success`, else `failure`; all of it at once, as one revision. */
export interface Txn {
  readonly compare?: readonly Compare[] | undefined;
  readonly success?: readonly RequestOp[] | undefined;
  readonly failure?: readonly RequestOp[] | undefined;
}

export function txnRequest({ compare = [], success = [], failure = [] }: Txn): TxnRequest {
  return { kind: "txn", compare: [...compare], success: [...success], failure: [...failure] };
}
