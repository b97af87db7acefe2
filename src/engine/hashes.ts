/**
 * Hash and HashKV of a store that is written meanwhile: of one commit, which is kept readable until they are done.
 *
 * Everything that was applied before the call is committed first. Which records count is found in the index, in slices;
 * the records themselves are read and hashed on a thread, or in slices where no other thread can read the file.
 *
 * @see etcd server/storage/mvcc/kvstore.go hashByRev
 */
import { SystemFile } from "../../native-free/file.ts";
import type { Backend } from "../backend/backend.ts";
import type { Pin } from "../backend/pins.ts";
import type { Clock } from "../base/clock.ts";
import { EtcdError } from "../base/errors.ts";
import { exponential, Histogram } from "../base/histogram.ts";
import { nextTurn } from "../base/turn.ts";
import { HASH, type KvHashRule } from "../jobs/hash.ts";
import { hashInSlices } from "../jobs/hash-work.ts";
import type { JobPool } from "../jobs/pool.ts";
import type { Progress } from "../jobs/progress.ts";
import type { RevisionSet } from "../mvcc/revision-set.ts";
import type { Store } from "../mvcc/store.ts";

export interface KvHash {
  /** CRC-32C, unsigned. */
  readonly hash: number;
  /** That it is of: the one asked for, or the current one. etcd 3.6's hash_revision. */
  readonly revision: number;
  /** -1: never compacted. */
  readonly compactRevision: number;
}

export type HashProgress = (progress: Progress) => void;

export interface HashesParts {
  readonly store: Store;
  readonly backend: Backend;
  readonly clock: Clock;
  /** Undefined: the file cannot be read by another thread. */
  readonly jobs: { readonly pool: JobPool; readonly path: string } | undefined;
}

/** How long the index is worked on before others have their turn. */
const SLICE_MS = 1;

export class Hashes {
  /** Of `hash` and `hashKv` that came to an end. Seconds. */
  readonly hashSeconds: Histogram = new Histogram(exponential(0.01, 2, 15));
  readonly hashKvSeconds: Histogram = new Histogram(exponential(0.01, 2, 15));
  readonly #parts: HashesParts;

  constructor(parts: HashesParts) {
    this.#parts = parts;
  }

  /**
   * @param asked  0: the current revision. Below 0 nothing counts, as in etcd
   * @throws (rejects) EtcdError COMPACTED (also if a compaction overtakes it), FUTURE; StrataError FAILED; the signal's
   *   reason
   */
  async hashKv(asked: number, signal: AbortSignal, onProgress?: HashProgress): Promise<KvHash> {
    const { store, backend } = this.#parts;
    const beganMs = performance.now();
    for (;;) {
      const revision = asked === 0 ? store.currentRevision : asked;
      if (revision > store.currentRevision) throw new EtcdError("FUTURE");
      requireHistory(asked, store.compactedRevision);
      // What is at or below the revision is in the commit; a compaction may have begun when it is there.
      await backend.commit();
      signal.throwIfAborted();
      const compactRevision = store.compactedRevision;
      requireHistory(asked, compactRevision);
      if (asked === 0 && revision < compactRevision) continue;
      const pin = backend.pin("hash-kv");
      let file: SystemFile | undefined;
      try {
        file = this.#open();
        const kept = await this.#kept(revision, compactRevision, signal);
        if (kept === undefined) {
          // The index has gone on to a later compaction.
          requireHistory(asked, store.compactedRevision);
          continue;
        }
        const { mains: keptMains, subs: keptSubs } = kept;
        const rule = { revision, compactRevision, keptMains, keptSubs };
        const hash = await this.#hash(pin, file, rule, signal, onProgress);
        this.hashKvSeconds.observe((performance.now() - beganMs) / 1000);
        return { hash, revision, compactRevision };
      } finally {
        file?.close();
        pin.release();
      }
    }
  }

  /** @throws (rejects) StrataError FAILED; the signal's reason */
  async hash(signal: AbortSignal, onProgress?: HashProgress): Promise<number> {
    const { backend } = this.#parts;
    const beganMs = performance.now();
    await backend.commit();
    signal.throwIfAborted();
    const pin = backend.pin("hash");
    let file: SystemFile | undefined;
    try {
      file = this.#open();
      const hash = await this.#hash(pin, file, undefined, signal, onProgress);
      this.hashSeconds.observe((performance.now() - beganMs) / 1000);
      return hash;
    } finally {
      file?.close();
      pin.release();
    }
  }

  /**
   * What counts of the records up to the compacted revision; undefined if a compaction has overtaken it.
   *
   * Where nothing is kept at the revision, because no key is there, etcd counts all that the compaction has left: which
   * is what is kept at the compacted revision, once it is done. So that is what counts here, done or not.
   */
  async #kept(
    revision: number,
    compactRevision: number,
    signal: AbortSignal,
  ): Promise<Pick<RevisionSet, "mains" | "subs"> | undefined> {
    if (compactRevision < 0 || revision < 0) {
      return { mains: new Float64Array(0), subs: new Uint32Array(0) };
    }
    const kept = await this.#sweep(revision, signal);
    return kept?.count === 0 ? this.#sweep(compactRevision, signal) : kept;
  }

  async #sweep(revision: number, signal: AbortSignal): Promise<RevisionSet | undefined> {
    const { store, clock } = this.#parts;
    const sweep = store.index.keep(revision);
    while (sweep.stepFor(SLICE_MS, clock) === "running") {
      await nextTurn();
      signal.throwIfAborted();
    }
    return sweep.state === "done" ? sweep.kept : undefined;
  }

  /** Right behind the pin: a defragmentation may put another file in its place. */
  #open(): SystemFile | undefined {
    const { jobs } = this.#parts;
    return jobs && new SystemFile(jobs.path, "read");
  }

  /** @param file  undefined: no other thread can read it */
  async #hash(
    pin: Pin,
    file: SystemFile | undefined,
    rule: KvHashRule | undefined,
    signal: AbortSignal,
    onProgress: HashProgress | undefined,
  ): Promise<number> {
    const { backend, jobs } = this.#parts;
    const totalBytes = backend.space.inUseBytes;
    if (jobs === undefined || file === undefined) {
      return hashInSlices(() => backend.viewAt(pin), rule, signal, { totalBytes, onProgress });
    }
    const { path, pool } = jobs;
    try {
      const { fd } = file;
      const input = { path, fd, meta: pin.root.meta, rule, totalBytes };
      return await pool.run(HASH, input, { signal, ...(onProgress && { onProgress }) });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }
}

function requireHistory(asked: number, compactRevision: number): void {
  if (asked > 0 && asked < compactRevision) throw new EtcdError("COMPACTED");
}
