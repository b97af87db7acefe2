/** A client of etcd. */
export type { Key, Keys } from "./api/key-range.ts";
export type {
  CallOptions,
  DeleteResponse,
  HashKvResponse,
  LeaseStatus,
  OpResponse,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from "./api/responses.ts";
export {
  compare,
  type DeleteOptions,
  op,
  type PutOptions,
  type RangeOptions,
  type Relation,
  type Txn,
} from "./api/txn-builder.ts";
export { KeyValue, type Value } from "./api/value.ts";
export type { Watch, WatchEvent, WatchOptions, WatchResponse } from "./api/watch.ts";
export { type ErrorCode, EtcdError, StrataError } from "./base/errors.ts";
export type { EtcdErrorCode } from "./base/etcd-errors.ts";
export type { AlarmName, RemoteAlarms } from "./client/alarms.ts";
export type { AuthStatus, RemoteAuth } from "./client/auth/auth.ts";
export type { Access, RemoteRoles, RolePermission } from "./client/auth/roles.ts";
export type { RemoteUsers } from "./client/auth/users.ts";
export type { EndpointOptions, RemoteOptions } from "./client/calls.ts";
export { Client, type RemoteMirrorOptions, type RemoteRangeOptions } from "./client/client.ts";
export type { ClientOptions } from "./client/client-options.ts";
export type { HeldLock, LockOptions } from "./client/concurrency/held-lock.ts";
export type { Leadership } from "./client/concurrency/leadership.ts";
export type { HeldLease } from "./client/lease/held-lease.ts";
export type { RemoteLeases } from "./client/lease/leases.ts";
export type { RemoteDowngrade } from "./client/maintenance/downgrade.ts";
export type { RemoteSnapshot, SnapshotSettings } from "./client/maintenance/snapshot.ts";
export type { EndpointStatus } from "./client/maintenance/status.ts";
export type {
  FollowedOptions,
  RemoteCheckReport,
  RemoteDefragOptions,
  RemoteDefragReport,
  RemoteJob,
  RemoteStrata,
} from "./client/maintenance/strata.ts";
export type { PeerUrls, RemoteMembers } from "./client/members.ts";
export type { MirrorProgress } from "./client/mirror/mirror.ts";
export { RpcError } from "./client/status.ts";
export type { TlsOptions } from "./client/transport/transport-options.ts";
export type { Progress } from "./jobs/progress.ts";
export type { Member } from "./proto/tables/cluster.ts";
export type { AlarmMember } from "./proto/tables/maintenance.ts";
