/**
 * How much a database may take of the disk, and what a request is charged before it is logged.
 * @see etcd server/storage/quota.go
 */
import type { PutRequest, Request, RequestOp } from "../proto/messages.ts";

export const QUOTA_BYTES_DEFAULT: number = 2 * 2 ** 30;

/** etcd warns above it; nothing is refused. */
export const QUOTA_BYTES_SUGGESTED_MAX: number = 8 * 2 ** 30;

/** What a key is charged besides its bytes, and what a lease is. */
const KEY_COST_BYTES = 256;
const LEASE_COST_BYTES = 64;

/**
 * What a request is charged, in bytes: a put its key and value and 256 more, a lease 64, a txn the dearer of its two
 * branches with the txns in it (as etcd does from 3.5.33 and 3.6.14 on; before, an inner txn was free), all else
 * nothing.
 */
export function costOf(request: Request): number {
  switch (request.kind) {
    case "put":
      return costOfPut(request);
    case "txn":
      return costOfOp(request);
    case "leaseGrant":
      return LEASE_COST_BYTES;
    default:
      return 0;
  }
}

function costOfPut({ key, value }: PutRequest): number {
  return KEY_COST_BYTES + key.length + value.length;
}

function costOfOp(op: RequestOp): number {
  if (op.kind === "put") return costOfPut(op);
  if (op.kind !== "txn") return 0;
  return Math.max(costOfBranch(op.success), costOfBranch(op.failure));
}

function costOfBranch(ops: readonly RequestOp[]): number {
  let sum = 0;
  for (const op of ops) sum += costOfOp(op);
  return sum;
}

/** Of a database file, in bytes, as a transaction begins. */
export interface BackendSize {
  /** All pages that were ever allocated: what etcd reports as DbSize. */
  readonly size: number;
  /** Without those that the next transaction can use again: DbSizeInUse. Pages that a reader pins still count. */
  readonly sizeInUse: number;
}

/**
 * Which of the two is held against the quota.
 *
 * - `size`: etcd's rule. Deleting and compacting help nobody until a defrag gives pages back.
 * - `sizeInUse`: what can be allocated anew does not count, so compacting is enough. The file may stay at the quota
 *   and go on serving; it may also pass it somewhat, where a large value finds no run of free pages long enough.
 */
export type QuotaBasis = keyof BackendSize;

export class Quota {
  /** Infinity: there is none. */
  readonly bytes: number;
  readonly basis: QuotaBasis;

  /** @param bytes  as `--quota-backend-bytes`: 0 = the default of 2 GiB, negative = none. */
  constructor(bytes = 0, basis: QuotaBasis = "size") {
    this.bytes = bytes === 0 ? QUOTA_BYTES_DEFAULT : bytes < 0 ? Number.POSITIVE_INFINITY : bytes;
    this.basis = basis;
  }

  /** Whether a request of that cost fits: below the quota, not at it. What costs nothing always does. */
  available(backend: BackendSize, cost: number): boolean {
    return cost === 0 || backend[this.basis] + cost < this.bytes;
  }

  /** Bytes that are left; negative beyond the quota. */
  remaining(backend: BackendSize): number {
    return this.bytes - backend[this.basis];
  }
}
