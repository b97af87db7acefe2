/** The library: etcd in this process. */
export type { AlarmMember } from "./alarm/alarm-record.ts";
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
export type { Clock } from "./base/clock.ts";
export { CorruptionError, type ErrorCode, EtcdError, StrataError } from "./base/errors.ts";
export type { EtcdErrorCode } from "./base/etcd-errors.ts";
export type { AutoCompactionOptions } from "./engine/auto-compaction.ts";
export type { AutoDefragWish } from "./engine/auto-defrag.ts";
export type { DefragOptions, DefragReport } from "./engine/defragmentation.ts";
export type { CheckOptions, CheckReport } from "./engine/integrity-checks.ts";
export type { JobName, JobReport, Jobs, JobUnit } from "./engine/jobs.ts";
export type { EngineEvent, EngineLog } from "./engine/log.ts";
export type { RecoveryProgress } from "./engine/recovery.ts";
export type { ScheduledSnapshotsWish } from "./engine/scheduled-snapshots.ts";
export type { SelfMaintain } from "./engine/self-maintenance.ts";
export {
  checkIntegrity,
  type FileOptions,
  type StatusOptions,
  snapshotStatus,
} from "./engine/snapshot-files.ts";
export type { SavedSnapshot, Snapshot } from "./engine/snapshots.ts";
export {
  type AlarmName,
  type Alarms,
  type Leases,
  type SnapshotOptions,
  Strata,
  type StrataOptions,
  type StrataPlace,
  type StrataStatus,
} from "./engine/strata.ts";
export type { WatchKeysOptions } from "./engine/watch.ts";
export type { CheckOutput } from "./jobs/integrity-check.ts";
export type { Progress } from "./jobs/progress.ts";
export type { SnapshotStatus } from "./jobs/snapshot-status.ts";
export type { Fault } from "./pagefile/check.ts";
