/** Every fault of a database file, without changing it and without stopping at the first. */
import type { CheckResult } from "../pagefile/check.ts";
import { databasePath } from "./database-path.ts";
import type { ReadingMode } from "./offline-file.ts";
import type { JobKind, JobOptions, JobPool } from "./pool.ts";

export interface CheckInput {
  /** The database or snapshot file itself. */
  readonly path: string;
}

export interface CheckOutput extends CheckResult {
  readonly path: string;
  /** Which commit was checked. */
  readonly txid: number;
  readonly reading: ReadingMode;
}

export const CHECK: JobKind<CheckInput, CheckOutput> = {
  worker: "integrity-check",
  phases: ["checking"],
};

/**
 * Checks a snapshot, a database file or the database of a data dir, a running server's included.
 *
 * @throws CorruptionError if neither meta is valid, so that there is no tree to check; StrataError CHANGED when a
 *   server outran the check; the system's errors. Faults of the tree are not thrown, they are the result.
 */
export async function integrityCheck(
  pool: JobPool,
  fileOrDir: string,
  options: JobOptions = {},
): Promise<CheckOutput> {
  return pool.run(CHECK, { path: databasePath(fileOrDir) }, options);
}
