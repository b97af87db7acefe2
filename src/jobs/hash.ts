/**
 * Hashes of a pinned commit, on a thread: what etcd's Hash and HashKV answer.
 * @see etcd server/storage/mvcc/hash.go, server/storage/backend/backend.go Hash
 */
import type { Meta } from "../pagefile/meta.ts";
import type { JobKind } from "./pool.ts";

/** A commit that the caller keeps pinned until the job is over, in a file that it keeps open. */
export interface PinnedFile {
  readonly path: string;
  /** Of this process. */
  readonly fd: number;
  readonly meta: Meta;
}

/** Which records of bucket `key` count, and nothing else: HashKV. */
export interface KvHashRule {
  /** Those above it do not count. */
  readonly revision: number;
  /** Of those up to it, only what is kept; -1: never compacted. */
  readonly compactRevision: number;
  /** Sorted: of each key that is there at `revision` the record that makes it so. May hold more than those that are asked. */
  readonly keptMains: Float64Array;
  readonly keptSubs: Uint32Array;
}

export interface HashInput extends PinnedFile {
  /** About what there is to read, for the progress. Default: the file's size. */
  readonly totalBytes?: number;
  /** Undefined: all buckets, for etcd's Hash. */
  readonly rule: KvHashRule | undefined;
}

/** A CRC-32C, unsigned. */
export const HASH: JobKind<HashInput, number> = { worker: "hash", phases: ["hashing"] };
