/** Offline defragmentation of a database file: what a caller sees of it. */
import { databasePath } from "./database-path.ts";
import type { JobKind, JobOptions, JobPool } from "./pool.ts";

export interface DefragInput {
  /** The database file itself. */
  readonly path: string;
  /** Also when little or nothing is gained. */
  readonly force: boolean;
}

export interface DefragReport {
  readonly path: string;
  /** Pages below the high-water mark, in bytes. */
  readonly sizeBeforeBytes: number;
  readonly sizeAfterBytes: number;
  /** Length of the file, trailer and unused end included. */
  readonly fileBeforeBytes: number;
  readonly fileAfterBytes: number;
  readonly keys: number;
  readonly buckets: number;
  readonly tookMs: number;
  /** A snapshot's SHA-256 is computed anew for the new content. */
  readonly trailer: "none" | "renewed";
  /** What kept others out: a `sidecar` is not seen by a real etcd. */
  readonly lockedBy: "flock" | "sidecar";
  /** Litter of earlier runs that were killed, now gone. */
  readonly removedLeftovers: readonly string[];
}

export const DEFRAG: JobKind<DefragInput, DefragReport> = {
  worker: "defrag",
  phases: ["measuring", "copying", "syncing"],
};

/**
 * Defragments a database file, a snapshot or the database of a data dir whose server is stopped.
 *
 * @throws StrataError LOCKED (with the holder), NO_DISK (with what is needed), NO_GAIN (unless `force`);
 *   CorruptionError, the system's errors, JobAborted: then the old file is as it was and nothing is left behind
 */
export async function defragFile(
  pool: JobPool,
  fileOrDir: string,
  options: JobOptions & { readonly force?: boolean } = {},
): Promise<DefragReport> {
  const path = databasePath(fileOrDir);
  return pool.run(DEFRAG, { path, force: options.force ?? false }, options);
}
