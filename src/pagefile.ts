/** The page file alone: bbolt's format, read and written. */
export { SystemFile } from "../native-free/file.ts";
export { CorruptionError, type ErrorCode, StrataError } from "./base/errors.ts";
export { backupBytes, backupPieces } from "./pagefile/backup.ts";
export type { Bucket } from "./pagefile/bucket.ts";
export type { CheckResult } from "./pagefile/check.ts";
export type { Cursor } from "./pagefile/cursor.ts";
export type { Meta } from "./pagefile/meta.ts";
export { openPageFile } from "./pagefile/open.ts";
export { PageFile, type PageFileOptions, type Space } from "./pagefile/page-file.ts";
export { scanBucket } from "./pagefile/scan.ts";
export type { ReadTx, WriteTx } from "./pagefile/tx.ts";
