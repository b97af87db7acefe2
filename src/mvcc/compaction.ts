/**
 * Giving back what a compaction has given up: first the index, in slices between other work, then the records on disk,
 * a batch at a time. One compaction after another; a crash in the middle is made good by running it again.
 *
 * @see etcd server/storage/mvcc/kvstore_compaction.go
 */
import type { Backend } from "../backend/backend.ts";
import { isBefore } from "../backend/revision.ts";
import type { Clock } from "../base/clock.ts";
import { nextTurn } from "../base/turn.ts";
import { CompactionCounts } from "./compaction-counts.ts";
import type { Store } from "./store.ts";

export interface CompactionOptions {
  /** Records that one commit looks at. Default: 10,000. */
  readonly batchLimit?: number;
  /** Pause between two of them. Default: 10, as etcd's --compaction-sleep-interval. */
  readonly sleepMs?: number;
}

export interface CompactionReport {
  readonly revision: number;
  /** Records that were deleted. */
  readonly deleted: number;
  readonly tookMs: number;
}

/** How long the index is worked on before others have their turn. */
const SLICE_MS = 1;

export class Compactor {
  readonly counts: CompactionCounts = new CompactionCounts();
  readonly #store: Store;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #batchLimit: number;
  readonly #sleepMs: number;
  readonly #stopped = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, backend: Backend, clock: Clock, options: CompactionOptions = {}) {
    this.#store = store;
    this.#backend = backend;
    this.#clock = clock;
    this.#batchLimit = options.batchLimit ?? 10_000;
    this.#sleepMs = options.sleepMs ?? 10;
  }

  /**
   * Runs the compaction that was scheduled at `revision`. Resolves when what it gives up is gone from the disk, or
   * with undefined when it was stopped.
   * @throws (rejects) StrataError FAILED
   */
  run(revision: number): Promise<CompactionReport | undefined> {
    const mine = this.#last.then(() => this.#run(revision));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Ends it at the next step. A start finds that it is not finished, and runs it again. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#last;
  }

  async #run(revision: number): Promise<CompactionReport | undefined> {
    const { signal } = this.#stopped;
    if (signal.aborted) return undefined;
    const startedMs = this.#clock.nowMs();
    // What it gives up may still be in the buffer.
    await this.#backend.commit();
    const sweep = this.#store.index.compact(revision);
    let longestMs = 0;
    for (let running = true; running; ) {
      const sliceMs = performance.now();
      running = sweep.stepFor(SLICE_MS, this.#clock) === "running";
      longestMs = Math.max(longestMs, performance.now() - sliceMs);
      if (!running) break;
      await nextTurn();
      if (signal.aborted) return undefined;
    }
    this.counts.indexPauses.observe(longestMs);
    // A later one has begun: what this one would keep, it may not.
    if (sweep.state === "overtaken") return { revision, deleted: 0, tookMs: 0 };
    const diskMs = performance.now();
    const { mains, subs } = sweep.kept;
    let kept = 0;
    let next = { nextMain: 0, nextSub: 0 };
    let deleted = 0;
    for (;;) {
      // A step cannot come to more of what is kept than it looks at.
      const end = kept + this.#batchLimit;
      const stepMs = performance.now();
      const step = await this.#backend.compact({
        revision,
        keptMains: mains.slice(kept, end),
        keptSubs: subs.slice(kept, end),
        fromMain: next.nextMain,
        fromSub: next.nextSub,
        limit: this.#batchLimit,
      });
      deleted += step.deleted;
      this.counts.deleted += step.deleted;
      this.counts.steps.observe(performance.now() - stepMs);
      if (step.done) break;
      next = step;
      while (kept < mains.length && isBefore(mains, subs, kept, step.nextMain, step.nextSub))
        kept++;
      await this.#clock.sleep(this.#sleepMs, signal);
      if (signal.aborted) return undefined;
    }
    this.counts.totals.observe(performance.now() - diskMs);
    this.counts.lastEndSeconds = Math.floor((performance.timeOrigin + performance.now()) / 1000);
    return { revision, deleted, tookMs: this.#clock.nowMs() - startedMs };
  }
}
