/** What `snapshot status` says of a database: integrity, hash, revision, counts. */
import { StrataError } from "../base/errors.ts";
import { databasePath } from "./database-path.ts";
import type { ReadingMode } from "./offline-file.ts";
import type { JobKind, JobOptions, JobPool } from "./pool.ts";
import { snapshotTrailer, type TrailerStatus } from "./snapshot-trailer.ts";

export interface StatusInput {
  /** The database or snapshot file itself. */
  readonly path: string;
  /** Count live user keys, as etcd 3.6 does: takes memory for the keys. */
  readonly liveKeys: boolean;
}

export interface StatusOutput {
  /** CRC-32C, unsigned. */
  readonly hash: number;
  /** Main revision of the last change; 0 if there is none. */
  readonly revision: number;
  /** Rows of all top-level buckets: etcd 3.4's and 3.5's total keys. */
  readonly rows: number;
  /** User keys alive: etcd 3.6's total keys; undefined unless asked for. */
  readonly liveKeys: number | undefined;
  /** Pages in use and free, in bytes: neither the file's length nor the trailer counts. */
  readonly sizeBytes: number;
  /** The schema's version that etcd ≥ 3.6 stores; empty if none. */
  readonly version: string;
  readonly reading: ReadingMode;
}

export interface SnapshotStatus extends StatusOutput {
  readonly trailer: TrailerStatus;
}

export const STATUS: JobKind<StatusInput, StatusOutput> = {
  worker: "snapshot-status",
  phases: ["checking and hashing"],
};

/**
 * The status of a snapshot, a database file or a data dir.
 *
 * @throws CorruptionError for a file that is not a whole bbolt file, with every fault that the integrity walk found;
 *   StrataError CORRUPT when a snapshot's SHA-256 is not its content's; the system's errors
 */
export async function snapshotStatus(
  pool: JobPool,
  fileOrDir: string,
  options: JobOptions & { readonly liveKeys?: boolean } = {},
): Promise<SnapshotStatus> {
  const path = databasePath(fileOrDir);
  const input = { path, liveKeys: options.liveKeys ?? false };
  // Two threads read the same file at once: the second finds it in the system's cache.
  const [status, trailer] = await Promise.all([
    pool.run(STATUS, input, options),
    snapshotTrailer(pool, path, options.signal ? { signal: options.signal } : {}),
  ]);
  if (trailer.kind === "mismatch") {
    throw new StrataError(
      "CORRUPT",
      `${path}: expected sha256 ${trailer.expected}, got ${trailer.got}: the snapshot was damaged after it was saved`,
    );
  }
  return { ...status, trailer };
}
