/** What calls take and give, the same of a store in this process and of one that is reached by the network. */
import type { KeyValue } from "./value.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PutResponse {
  /** That the write has. */
  readonly revision: bigint;
  readonly prevKv: KeyValue | undefined;
}

export interface DeleteResponse {
  /** The store's after it: a new one only if something was deleted. */
  readonly revision: bigint;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export interface RangeResponse {
  readonly revision: bigint;
  readonly kvs: readonly KeyValue[];
  /** The limit has cut something off. */
  readonly more: boolean;
  /** Keys in the range, whatever the limit and the filters. */
  readonly count: number;
}

export interface TxnResponse {
  readonly revision: bigint;
  readonly succeeded: boolean;
  readonly responses: readonly OpResponse[];
}

export type OpResponse =
  | ({ readonly kind: "range" } & RangeResponse)
  | ({ readonly kind: "put" } & PutResponse)
  | ({ readonly kind: "delete" } & DeleteResponse)
  | ({ readonly kind: "txn" } & TxnResponse);

export interface LeaseStatus {
  readonly id: bigint;
  /** Whole seconds left. */
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys: readonly Uint8Array[];
}

export interface HashKvResponse {
  /** A CRC-32C, unsigned. */
  readonly hash: number;
  /** That it is of. */
  readonly revision: bigint;
  /** Below it, history counts no more; -1n: never compacted. */
  readonly compactRevision: bigint;
}
