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

/**
 * What is held against the quota.
 *
 * - `size`: etcd's rule, the whole file. Deleting and compacting help nobody until a defragmentation gives pages back.
 * - `allocatable`: what cannot be allocated anew, so compacting is enough. See `Quota.remaining`.
 */
export type QuotaMode = "size" | "allocatable";

/** A database, in bytes: its file as of the last commit, and what is on its way there. */
export interface SpaceUse {
  /** All pages that were ever allocated: what etcd reports as DbSize. */
  readonly sizeBytes: number;
  /** Of them: those that the next commit may use. */
  readonly reusableBytes: number;
  /** Of them: freed, but kept for readers and for the last two roots. */
  readonly pinnedBytes: number;
  /** Somebody reads an old root; else what is pinned comes free by itself, a commit or two from now. */
  readonly hasReaders: boolean;
  /** Logged or applied, and not in the file yet. */
  readonly bufferedBytes: number;
}

/**
 * How far beyond the quota readers of old roots may make the file grow at least, however small the quota: two full
 * batches of writes, many times over.
 */
const PINNED_GROWTH_MIN_BYTES = 64 * 2 ** 20;

export class Quota {
  /** Infinity: there is none. */
  readonly bytes: number;
  readonly mode: QuotaMode;

  /** @param bytes  as `--quota-backend-bytes`: 0 = the default of 2 GiB, negative = none. */
  constructor(bytes = 0, mode: QuotaMode = "size") {
    this.bytes = bytes === 0 ? QUOTA_BYTES_DEFAULT : bytes < 0 ? Number.POSITIVE_INFINITY : bytes;
    this.mode = mode;
  }

  /** As `--quota-backend-bytes`. */
  get flag(): number {
    return Number.isFinite(this.bytes) ? this.bytes : -1;
  }

  /** Whether a request of that cost fits: below the quota, not at it. What costs nothing always does. */
  available(use: SpaceUse, cost: number): boolean {
    return cost === 0 || cost < this.remaining(use);
  }

  /**
   * Bytes that are left; negative beyond the quota.
   *
   * Allocatable: the quota without what the newest root reaches and what is buffered. Free pages are room, and so are
   * those that are pinned: they come free with the commits to come, or when a reader ends. So the file may pass the
   * quota, by
   *
   * - what the last two commits have rewritten, whose old pages are kept for two more;
   * - what readers pin, up to a file of twice the quota (64 MiB beyond it at least): from there on pinned pages are no
   *   room any more, for as long as they are read;
   * - what large values skip: a value of n pages needs n free ones in a row. Small ones take what they have skipped;
   * - what passes a full quota: deletes, compactions (a step rewrites its pages), and a reserve of 64 KiB.
   */
  remaining(use: SpaceUse): number {
    const { sizeBytes, reusableBytes, pinnedBytes, hasReaders, bufferedBytes } = use;
    if (this.mode === "size") return this.bytes - sizeBytes;
    const left = this.bytes - (sizeBytes - reusableBytes - pinnedBytes) - bufferedBytes;
    if (!hasReaders) return left;
    const ceiling = this.bytes + Math.max(this.bytes, PINNED_GROWTH_MIN_BYTES);
    const unpinned = Math.max(0, ceiling - sizeBytes) + reusableBytes - bufferedBytes;
    return Math.min(left, unpinned);
  }
}
