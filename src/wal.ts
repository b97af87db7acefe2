/** The write-ahead log alone: etcd's, read and written. */
export { type DirectoryTree, SystemDirectory } from "../native-free/file.ts";
export { CorruptionError, type ErrorCode, StrataError } from "./base/errors.ts";
export { decodeNormalEntry, type NormalEntry } from "./proto/normal-entry.ts";
export { type Entry, EntryType } from "./wal/entry.ts";
export type { HardState } from "./wal/hard-state.ts";
export { decodeMetadata, encodeMetadata, type WalMetadata } from "./wal/metadata.ts";
export { type LogContents, readLog, validSnapshots } from "./wal/reader.ts";
export { releaseSegments } from "./wal/release.ts";
export { type RepairReport, repairWal } from "./wal/repair.ts";
export { decodeSnapFile, loadNewestSnap, writeSnapFile } from "./wal/snap-file.ts";
export type { ConfState, WalSnapshot } from "./wal/snapshot-record.ts";
export { AdaptiveSyncPolicy, fixedSyncPolicy, type SyncPolicy } from "./wal/sync-policy.ts";
export {
  createWal,
  hasWal,
  type OpenedWal,
  openWal,
  Wal,
  type WalOptions,
} from "./wal/wal.ts";
export { WalError } from "./wal/wal-error.ts";
