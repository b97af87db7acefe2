/**
 * What can be said of a snapshot, a database file or a data dir without opening a store on it: on threads of its own,
 * in bounded memory however large the file is, and also while a server holds it.
 */
import { type CheckOutput, integrityCheck } from "../jobs/integrity-check.ts";
import { JobAborted } from "../jobs/outcome.ts";
import { JobPool } from "../jobs/pool.ts";
import type { Progress } from "../jobs/progress.ts";
import { type SnapshotStatus, snapshotStatus as statusOf } from "../jobs/snapshot-status.ts";

export interface FileOptions {
  readonly signal?: AbortSignal | undefined;
  /** About ten times a second, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface StatusOptions extends FileOptions {
  /** Count live user keys, as etcdutl 3.6 does: takes memory for the keys. Default: no. */
  readonly liveKeys?: boolean;
}

/**
 * What `etcdctl snapshot status` says: hash, revision, rows, size; and that the file is sound, its checksum included.
 * @throws (rejects) CorruptionError with every fault; StrataError CORRUPT if the checksum is not the file's, CHANGED if a
 *   server outran the reading; the signal's reason; the system's errors
 */
export async function snapshotStatus(
  fileOrDir: string,
  options: StatusOptions = {},
): Promise<SnapshotStatus> {
  const { liveKeys = false } = options;
  return withThreads(options, (pool, given) => statusOf(pool, fileOrDir, { ...given, liveKeys }));
}

/**
 * bbolt's check. Faults are not thrown, they are the result: the first 10,000, and how many there are.
 * @throws (rejects) CorruptionError if there is no tree to check; StrataError CHANGED if a server outran the check; the
 *   signal's reason; the system's errors
 */
export async function checkIntegrity(
  fileOrDir: string,
  options: FileOptions = {},
): Promise<CheckOutput> {
  return withThreads(options, (pool, given) => integrityCheck(pool, fileOrDir, given));
}

interface Given {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

async function withThreads<T>(
  { signal, onProgress }: FileOptions,
  work: (pool: JobPool, given: Given) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  await using pool = new JobPool();
  try {
    return await work(pool, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
  } catch (error) {
    if (error instanceof JobAborted) signal?.throwIfAborted();
    throw error;
  }
}
