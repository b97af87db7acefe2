/**
 * Giving back what a compaction has given up: first the index, in slices between other work, then the records on disk,
 * in steps so short that nobody waits for one. One compaction after another; a crash in the middle is made good by
 * running it again.
 *
 * @see etcd server/storage/mvcc/kvstore_compaction.go
 */
import type { Backend } from "../backend/backend.ts";
import type { Clock } from "../base/clock.ts";
import { nextTurn } from "../base/turn.ts";
import { CompactionCounts } from "./compaction-counts.ts";
import type { IndexSweep } from "./index-sweep.ts";
import type { RevisionSet } from "./revision-set.ts";
import type { Store } from "./store.ts";

export interface CompactionOptions {
  /** Records that one step looks at, as etcd's --compaction-batch-limit. Default: as many as its time allows. */
  readonly batchLimit?: number;
  /** Pause between two steps. Default: 10, as etcd's --compaction-sleep-interval. */
  readonly sleepMs?: number;
}

export interface CompactionReport {
  readonly revision: number;
  /** Records that were deleted; 0 if a later compaction has done it. */
  readonly deleted: number;
  readonly tookMs: number;
}

/** In records: those that the index has while it is gone through, then those up to the revision on the disk. */
export interface CompactionProgress {
  readonly phase: "index" | "records";
  readonly done: number;
  readonly total: number;
}

/** How long the index is worked on before others have their turn. */
const SLICE_MS = 1;

/** How long a step looks at records, unless it is told how many. */
const STEP_MS = 10;

export class Compactor {
  readonly counts: CompactionCounts = new CompactionCounts();
  readonly #store: Store;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #budgetMs: number;
  readonly #sleepMs: number;
  readonly #stopped = new AbortController();
  /** The highest revision that a run was asked for. */
  #newest = -1;
  /** Its run. */
  #newestRun: Promise<CompactionReport | undefined> = Promise.resolve(undefined);
  /** The end of the run that was asked for last. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, backend: Backend, clock: Clock, options: CompactionOptions = {}) {
    this.#store = store;
    this.#backend = backend;
    this.#clock = clock;
    this.#limit = options.batchLimit ?? Number.MAX_SAFE_INTEGER;
    this.#budgetMs = options.batchLimit === undefined ? STEP_MS : Number.MAX_SAFE_INTEGER;
    this.#sleepMs = options.sleepMs ?? 10;
  }

  /**
   * Runs the compaction that was scheduled at `revision`. Resolves when what it gives up is gone from the disk, or
   * with undefined when it was stopped.
   * @param onProgress  after every slice and step
   * @throws (rejects) StrataError FAILED
   */
  run(
    revision: number,
    onProgress: (progress: CompactionProgress) => void = () => undefined,
  ): Promise<CompactionReport | undefined> {
    const mine = this.#last.then(async (): Promise<CompactionReport | "overtaken" | undefined> => {
      return this.#newest > revision ? "overtaken" : await this.#run(revision, onProgress);
    });
    this.#last = mine.catch(() => undefined);
    const whole = mine.then(async (report) => {
      if (report !== "overtaken") return report;
      // One that waited behind gives up all that this would have, and more.
      const later = await this.#newestRun;
      return later && { revision, deleted: 0, tookMs: later.tookMs };
    });
    if (revision > this.#newest) {
      this.#newest = revision;
      this.#newestRun = whole;
    }
    return whole;
  }

  /** Ends it at the next step. A start finds that it is not finished, and runs it again. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#last;
  }

  async #run(
    revision: number,
    onProgress: (progress: CompactionProgress) => void,
  ): Promise<CompactionReport | undefined> {
    if (this.#stopped.signal.aborted) return undefined;
    const startedMs = this.#clock.nowMs();
    // What it gives up may still be in the buffer.
    await this.#backend.commit();
    const sweep = await this.#sweep(revision, onProgress);
    if (sweep === undefined) return undefined;
    const diskMs = performance.now();
    const total = sweep.gone + sweep.kept.count;
    const deleted = await this.#delete(revision, sweep.kept, (done) =>
      onProgress({ phase: "records", done, total: Math.max(done, total) }),
    );
    if (deleted === undefined) return undefined;
    this.counts.totals.observe(performance.now() - diskMs);
    this.counts.lastEndSeconds = Math.floor((performance.timeOrigin + performance.now()) / 1000);
    return { revision, deleted, tookMs: this.#clock.nowMs() - startedMs };
  }

  /** @returns undefined if it was stopped */
  async #sweep(
    revision: number,
    onProgress: (progress: CompactionProgress) => void,
  ): Promise<IndexSweep | undefined> {
    const { index } = this.#store;
    const total = index.revisions;
    const sweep = index.compact(revision);
    let longestMs = 0;
    for (;;) {
      const sliceMs = performance.now();
      const state = sweep.stepFor(SLICE_MS, this.#clock);
      longestMs = Math.max(longestMs, performance.now() - sliceMs);
      if (state !== "running") break;
      onProgress({ phase: "index", done: Math.floor(total * sweep.part), total });
      await nextTurn();
      if (this.#stopped.signal.aborted) return undefined;
    }
    this.counts.indexPauses.observe(longestMs);
    return sweep;
  }

  /** @returns records that were deleted; undefined if it was stopped */
  async #delete(
    revision: number,
    { mains: keptMains, subs: keptSubs }: RevisionSet,
    onStep: (looked: number) => void,
  ): Promise<number | undefined> {
    const { signal } = this.#stopped;
    const limits = { limit: this.#limit, budgetMs: this.#budgetMs };
    let [fromMain, fromSub] = [0, 0];
    let looked = 0;
    let deleted = 0;
    for (;;) {
      const stepMs = performance.now();
      const task = { revision, keptMains, keptSubs, fromMain, fromSub, ...limits };
      const step = await this.#backend.compact(task);
      looked += step.looked;
      deleted += step.deleted;
      this.counts.deleted += step.deleted;
      this.counts.steps.observe(performance.now() - stepMs);
      onStep(looked);
      if (step.done) return deleted;
      fromMain = step.nextMain;
      fromSub = step.nextSub;
      await this.#clock.sleep(this.#sleepMs, signal);
      if (signal.aborted) return undefined;
    }
  }
}
