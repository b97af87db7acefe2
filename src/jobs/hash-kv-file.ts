/** HashKV of a database that no server has, or that one has and is not asked: what `etcdutl hashkv` says of a file. */
import { databasePath } from "./database-path.ts";
import type { ReadingMode } from "./offline-file.ts";
import type { JobKind, JobOptions, JobPool } from "./pool.ts";

export interface HashKvFileInput {
  /** The database or snapshot file itself. */
  readonly path: string;
  /** 0: the current one. Below 0 nothing counts, as in etcd. */
  readonly revision: number;
}

export interface HashKvFileOutput {
  /** CRC-32C, unsigned. */
  readonly hash: number;
  /** That it is of: the one asked for, or the current one. */
  readonly revision: number;
  /** -1: never compacted. */
  readonly compactRevision: number;
  readonly reading: ReadingMode;
}

export const HASH_KV_FILE: JobKind<HashKvFileInput, HashKvFileOutput> = {
  worker: "hash-kv-file",
  phases: ["hashing", "reading the keys", "choosing what counts"],
};

/**
 * The file is not changed. A compaction that was scheduled and has not run counts as run, which makes no difference to
 * the hash.
 *
 * @throws EtcdError COMPACTED, FUTURE; CorruptionError, the system's errors, JobAborted
 */
export function hashKvOfFile(
  pool: JobPool,
  fileOrDir: string,
  options: JobOptions & { readonly revision?: number } = {},
): Promise<HashKvFileOutput> {
  const input = { path: databasePath(fileOrDir), revision: options.revision ?? 0 };
  return pool.run(HASH_KV_FILE, input, options);
}
