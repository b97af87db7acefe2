/**
 * Another version of the storage for a stopped member's data dir: what a caller sees of it.
 *
 * Between etcd 3.5 and 3.6 it is one row: 3.6 writes its version into `meta`, and 3.5 has none.
 */
import type { JobKind, JobOptions, JobPool } from "./pool.ts";

export interface StorageVersion {
  readonly major: number;
  readonly minor: number;
}

export interface MigrateInput {
  readonly dataDir: string;
  readonly target: StorageVersion;
  /** Write the version also where the way to it is not known, or the log has what that version cannot read. */
  readonly force: boolean;
}

export interface MigrateReport {
  /** Of the storage as it was found: `3.5.0`. */
  readonly from: string;
  /** Undefined: it was that version already. */
  readonly to: string | undefined;
  /** Why it had to be forced, if it had. */
  readonly forcedAgainst: string | undefined;
}

export const MIGRATE: JobKind<MigrateInput, MigrateReport> = {
  worker: "migrate",
  phases: ["opening the database"],
};

/**
 * @throws StrataError INCOMPATIBLE (no version to be found, no way to the target), LOCKED, CORRUPT; WalError's texts;
 *   the system's errors
 */
export function migrateStorage(
  pool: JobPool,
  input: MigrateInput,
  options: JobOptions = {},
): Promise<MigrateReport> {
  return pool.run(MIGRATE, input, options);
}
