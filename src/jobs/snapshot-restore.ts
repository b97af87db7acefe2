/** Making a data dir of a snapshot, as `etcdctl snapshot restore` does: what a caller sees of it. */
import type { JobKind, JobOptions, JobPool } from "./pool.ts";

export interface RestoredMember {
  readonly name: string;
  /** At least one, and none that another member has. */
  readonly peerUrls: readonly string[];
}

export interface NewCluster {
  /** The member that the data dir is for: one of `members`. */
  readonly name: string;
  /** All that the new cluster begins with. */
  readonly members: readonly RestoredMember[];
  readonly token: string;
}

export interface RestoreInput extends NewCluster {
  readonly snapshotPath: string;
  /** Made if it is not there; empty if it is. */
  readonly dataDir: string;
  /** Not there yet, and not in the data dir's `member`. Undefined: `member/wal` in the data dir. */
  readonly walDir: string | undefined;
  /** Take a file without a checksum, or with a wrong one. */
  readonly skipHashCheck: boolean;
  /** Who votes is said in the log's snapshot record, too: etcd 3.4 does not, and those after it do. */
  readonly votersInLog: boolean;
  /** How far the revision is to jump, with all before compacted. 0: not at all. Whole, below 2^53. */
  readonly bumpRevision: number;
}

export interface RestoreReport {
  /** Of the database. */
  readonly sizeBytes: number;
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

export const RESTORE: JobKind<RestoreInput, RestoreReport> = {
  worker: "snapshot-restore",
  phases: ["copying and verifying", "writing the new cluster's members"],
};

/**
 * Makes the data dir, wholly or not at all: what there is of it after a failure is removed, and one that a crash cut
 * short has nothing under the name `member`.
 *
 * @throws StrataError CORRUPT for a checksum that is missing or wrong, INCOMPATIBLE for a place that it cannot be made
 *   at; CorruptionError for what is no database; the system's errors; JobAborted
 */
export function restoreSnapshot(
  pool: JobPool,
  input: RestoreInput,
  options: JobOptions = {},
): Promise<RestoreReport> {
  return pool.run(RESTORE, input, options);
}
