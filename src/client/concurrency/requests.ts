/** What locks and elections ask of the keys. @see etcd client/v3/concurrency */
import { requestRange } from "../../api/key-range.ts";
import { CompareResult, CompareTarget, SortOrder, SortTarget } from "../../proto/messages.ts";
import type { Compare, RangeRequest } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

/** `<name>/<lease>`, the lease in hexadecimal: etcd's own layout, so that all clients see each other. */
export function keyOf(prefix: Uint8Array, lease: bigint): Uint8Array {
  return Buffer.concat([prefix, Buffer.from(lease.toString(16))]);
}

/** The key that was there before all others with the prefix. */
export function firstCreated(prefix: Uint8Array): Partially<RangeRequest> {
  return {
    ...requestRange({ prefix }),
    limit: 1n,
    sortTarget: SortTarget.create,
    sortOrder: SortOrder.ascend,
  };
}

/** The key that was there last, of those with the prefix that were made at a revision or before. */
export function lastCreated(
  prefix: Uint8Array,
  maxCreateRevision: bigint,
): Partially<RangeRequest> {
  return {
    ...requestRange({ prefix }),
    limit: 1n,
    sortTarget: SortTarget.create,
    sortOrder: SortOrder.descend,
    maxCreateRevision,
  };
}

/** Whether a key was made at a revision; 0n: whether it is not there. */
export function createdAt(key: Uint8Array, createRevision: bigint): Partially<Compare> {
  return { key, target: CompareTarget.create, result: CompareResult.equal, createRevision };
}
