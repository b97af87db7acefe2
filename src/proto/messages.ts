/**
 * etcd's requests, as the log keeps them and clients send them: plain data, keys and values as bytes.
 *
 * Revisions, versions, limits and TTLs are int64 on the wire and numbers here. Below 2^53 they are exact; beyond, where
 * no store ever comes, they are rounded, which changes no comparison with what is stored. Ids of leases and members use
 * all 64 bits: bigint, leases signed, members unsigned.
 *
 * @see etcd api/etcdserverpb/rpc.proto, raft_internal.proto
 */

/** The end of a range of one key. */
export const NO_END: Uint8Array = new Uint8Array(0);

/** As `rangeEnd`: every key from `key` on. As `key`, with that: every key. */
export const ALL_FROM: Uint8Array = new Uint8Array(1);

export const SortOrder = { none: 0, ascend: 1, descend: 2 } as const;
export const SortTarget = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
export const CompareResult = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
export const CompareTarget = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;
export const AlarmType = { none: 0, noSpace: 1, corrupt: 2 } as const;
export const AlarmAction = { get: 0, activate: 1, deactivate: 2 } as const;

/** Enums stay numbers: a client may send one that nobody knows. */
export interface RangeRequest {
  readonly kind: "range";
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  /** 0 or less: no limit. */
  readonly limit: number;
  /** 0 or less: the current one. */
  readonly revision: number;
  readonly sortOrder: number;
  readonly sortTarget: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** 0: no bound. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface PutRequest {
  readonly kind: "put";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** 0: none. */
  readonly lease: bigint;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface DeleteRangeRequest {
  readonly kind: "deleteRange";
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly prevKv: boolean;
}

export interface Compare {
  readonly result: number;
  readonly target: number;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  /**
   * What is compared with: the union's member and its operand, undefined if none is set. A member that is not the
   * target's counts as 0 or empty.
   */
  readonly operand:
    | { readonly target: 0 | 1 | 2; readonly number: number }
    | { readonly target: 3; readonly value: Uint8Array }
    | { readonly target: 4; readonly lease: bigint }
    | undefined;
}

export interface TxnRequest {
  readonly kind: "txn";
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

/** `none`: a RequestOp with no member set. */
export type RequestOp =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | { readonly kind: "none" };

export interface CompactionRequest {
  readonly kind: "compaction";
  readonly revision: number;
  readonly physical: boolean;
}

export interface LeaseGrantRequest {
  readonly kind: "leaseGrant";
  /** Seconds. */
  readonly ttl: number;
  /** In the log never 0. */
  readonly id: bigint;
}

export interface LeaseRevokeRequest {
  readonly kind: "leaseRevoke";
  readonly id: bigint;
}

export interface LeaseCheckpointRequest {
  readonly kind: "leaseCheckpoint";
  readonly checkpoints: readonly { readonly id: bigint; readonly remainingTtl: number }[];
}

export interface AlarmRequest {
  readonly kind: "alarm";
  readonly action: number;
  readonly memberId: bigint;
  readonly alarm: number;
}

/** 1300. Written by etcd 3.6; we write the v2 form, which 3.4 understands as well. */
export interface ClusterVersionSetRequest {
  readonly kind: "clusterVersionSet";
  readonly version: string;
}

/** 1301, as above. */
export interface ClusterMemberAttrSetRequest {
  readonly kind: "clusterMemberAttrSet";
  readonly memberId: bigint;
  readonly name: string;
  readonly clientUrls: readonly string[];
}

/** 1302 */
export interface DowngradeInfoSetRequest {
  readonly kind: "downgradeInfoSet";
  readonly enabled: boolean;
  readonly version: string;
}

/** One of the auth messages (1000 to 1204): its field number and its bytes, until auth is built. */
export interface AuthRequest {
  readonly kind: "auth";
  readonly field: number;
  readonly bytes: Uint8Array;
}

export type Request =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest
  | LeaseGrantRequest
  | LeaseRevokeRequest
  | LeaseCheckpointRequest
  | AlarmRequest
  | ClusterVersionSetRequest
  | ClusterMemberAttrSetRequest
  | DowngradeInfoSetRequest
  | AuthRequest;

/** etcdserverpb.RequestHeader, and what it heads: one normal entry of the log. */
export interface LoggedRequest {
  /** Unique among the requests of a cluster. */
  readonly id: bigint;
  /** Empty unless auth is on. */
  readonly username: string;
  readonly authRevision: number;
  /** Undefined: a request that this version does not know. */
  readonly request: Request | undefined;
}
