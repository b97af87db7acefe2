/** Alarms, status, defragmentation, hashes, snapshots, leadership, downgrades. @see etcd api/etcdserverpb/rpc.proto */
import { RESPONSE_HEADER, type ResponseHeader } from "./header.ts";
import {
  bool,
  bytes,
  enumeration,
  int64,
  type MessageTable,
  type Method,
  message,
  method,
  repeated,
  string,
  sub,
  uint32,
  uint64,
} from "./message-table.ts";

export interface AlarmRequest {
  readonly action: number;
  readonly memberId: bigint;
  readonly alarm: number;
}

export const ALARM_REQUEST: MessageTable<AlarmRequest> = message("etcdserverpb.AlarmRequest", {
  action: enumeration(1),
  memberId: uint64(2, "memberID"),
  alarm: enumeration(3),
});

export interface AlarmMember {
  readonly memberId: bigint;
  readonly alarm: number;
}

export const ALARM_MEMBER: MessageTable<AlarmMember> = message("etcdserverpb.AlarmMember", {
  memberId: uint64(1, "memberID"),
  alarm: enumeration(2),
});

export interface AlarmResponse {
  readonly header: ResponseHeader | undefined;
  readonly alarms: readonly AlarmMember[];
}

export const ALARM_RESPONSE: MessageTable<AlarmResponse> = message("etcdserverpb.AlarmResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  alarms: repeated(sub(2, () => ALARM_MEMBER)),
});

export type StatusRequest = Readonly<Record<never, never>>;

export const STATUS_REQUEST: MessageTable<StatusRequest> = message(
  "etcdserverpb.StatusRequest",
  {},
);

export interface StatusResponse {
  readonly header: ResponseHeader | undefined;
  readonly version: string;
  readonly dbSize: bigint;
  readonly leader: bigint;
  readonly raftIndex: bigint;
  readonly raftTerm: bigint;
  readonly raftAppliedIndex: bigint;
  readonly errors: readonly string[];
  readonly dbSizeInUse: bigint;
  readonly isLearner: boolean;
  readonly storageVersion: string;
  readonly dbSizeQuota: bigint;
  readonly downgradeInfo: DowngradeInfo | undefined;
}

export const STATUS_RESPONSE: MessageTable<StatusResponse> = message(
  "etcdserverpb.StatusResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    version: string(2),
    dbSize: int64(3, "dbSize"),
    leader: uint64(4),
    raftIndex: uint64(5, "raftIndex"),
    raftTerm: uint64(6, "raftTerm"),
    raftAppliedIndex: uint64(7, "raftAppliedIndex"),
    errors: repeated(string(8)),
    dbSizeInUse: int64(9, "dbSizeInUse"),
    isLearner: bool(10, "isLearner"),
    storageVersion: string(11, "storageVersion"),
    dbSizeQuota: int64(12, "dbSizeQuota"),
    downgradeInfo: sub(13, () => DOWNGRADE_INFO, "downgradeInfo"),
  },
);

export interface DowngradeInfo {
  readonly enabled: boolean;
  readonly targetVersion: string;
}

export const DOWNGRADE_INFO: MessageTable<DowngradeInfo> = message("etcdserverpb.DowngradeInfo", {
  enabled: bool(1),
  targetVersion: string(2, "targetVersion"),
});

export type DefragmentRequest = Readonly<Record<never, never>>;

export const DEFRAGMENT_REQUEST: MessageTable<DefragmentRequest> = message(
  "etcdserverpb.DefragmentRequest",
  {},
);

export interface DefragmentResponse {
  readonly header: ResponseHeader | undefined;
}

export const DEFRAGMENT_RESPONSE: MessageTable<DefragmentResponse> = message(
  "etcdserverpb.DefragmentResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export type HashRequest = Readonly<Record<never, never>>;

export const HASH_REQUEST: MessageTable<HashRequest> = message("etcdserverpb.HashRequest", {});

export interface HashResponse {
  readonly header: ResponseHeader | undefined;
  readonly hash: number;
}

export const HASH_RESPONSE: MessageTable<HashResponse> = message("etcdserverpb.HashResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  hash: uint32(2),
});

export interface HashKvRequest {
  readonly revision: bigint;
}

export const HASH_KV_REQUEST: MessageTable<HashKvRequest> = message("etcdserverpb.HashKVRequest", {
  revision: int64(1),
});

export interface HashKvResponse {
  readonly header: ResponseHeader | undefined;
  readonly hash: number;
  readonly compactRevision: bigint;
  readonly hashRevision: bigint;
}

export const HASH_KV_RESPONSE: MessageTable<HashKvResponse> = message(
  "etcdserverpb.HashKVResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    hash: uint32(2),
    compactRevision: int64(3),
    hashRevision: int64(4),
  },
);

export type SnapshotRequest = Readonly<Record<never, never>>;

export const SNAPSHOT_REQUEST: MessageTable<SnapshotRequest> = message(
  "etcdserverpb.SnapshotRequest",
  {},
);

export interface SnapshotResponse {
  readonly header: ResponseHeader | undefined;
  readonly remainingBytes: bigint;
  readonly blob: Uint8Array;
  readonly version: string;
}

export const SNAPSHOT_RESPONSE: MessageTable<SnapshotResponse> = message(
  "etcdserverpb.SnapshotResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    remainingBytes: uint64(2),
    blob: bytes(3),
    version: string(4),
  },
);

export interface MoveLeaderRequest {
  readonly targetId: bigint;
}

export const MOVE_LEADER_REQUEST: MessageTable<MoveLeaderRequest> = message(
  "etcdserverpb.MoveLeaderRequest",
  {
    targetId: uint64(1, "targetID"),
  },
);

export interface MoveLeaderResponse {
  readonly header: ResponseHeader | undefined;
}

export const MOVE_LEADER_RESPONSE: MessageTable<MoveLeaderResponse> = message(
  "etcdserverpb.MoveLeaderResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface DowngradeRequest {
  readonly action: number;
  readonly version: string;
}

export const DOWNGRADE_REQUEST: MessageTable<DowngradeRequest> = message(
  "etcdserverpb.DowngradeRequest",
  {
    action: enumeration(1),
    version: string(2),
  },
);

export interface DowngradeResponse {
  readonly header: ResponseHeader | undefined;
  readonly version: string;
}

export const DOWNGRADE_RESPONSE: MessageTable<DowngradeResponse> = message(
  "etcdserverpb.DowngradeResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    version: string(2),
  },
);

export const MAINTENANCE_METHODS: {
  readonly alarm: Method<AlarmRequest, AlarmResponse>;
  readonly status: Method<StatusRequest, StatusResponse>;
  readonly defragment: Method<DefragmentRequest, DefragmentResponse>;
  readonly hash: Method<HashRequest, HashResponse>;
  readonly hashKv: Method<HashKvRequest, HashKvResponse>;
  readonly snapshot: Method<SnapshotRequest, SnapshotResponse>;
  readonly moveLeader: Method<MoveLeaderRequest, MoveLeaderResponse>;
  readonly downgrade: Method<DowngradeRequest, DowngradeResponse>;
} = {
  alarm: method("/etcdserverpb.Maintenance/Alarm", ALARM_REQUEST, ALARM_RESPONSE),
  status: method("/etcdserverpb.Maintenance/Status", STATUS_REQUEST, STATUS_RESPONSE),
  defragment: method(
    "/etcdserverpb.Maintenance/Defragment",
    DEFRAGMENT_REQUEST,
    DEFRAGMENT_RESPONSE,
  ),
  hash: method("/etcdserverpb.Maintenance/Hash", HASH_REQUEST, HASH_RESPONSE),
  hashKv: method("/etcdserverpb.Maintenance/HashKV", HASH_KV_REQUEST, HASH_KV_RESPONSE),
  snapshot: method("/etcdserverpb.Maintenance/Snapshot", SNAPSHOT_REQUEST, SNAPSHOT_RESPONSE),
  moveLeader: method(
    "/etcdserverpb.Maintenance/MoveLeader",
    MOVE_LEADER_REQUEST,
    MOVE_LEADER_RESPONSE,
  ),
  downgrade: method("/etcdserverpb.Maintenance/Downgrade", DOWNGRADE_REQUEST, DOWNGRADE_RESPONSE),
};
