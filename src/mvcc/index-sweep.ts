/**
 * One pass over all keys of the index at a revision, cut into steps so that it never holds the main loop: what
 * compaction gives up, or what a hash at that revision counts.
 *
 * Writes and reads may come between steps. What they change lies above the revision, so the outcome is the same as
 * that of one step at the start; only a compaction beyond it takes the ground away.
 */
import type { Clock } from "../base/clock.ts";
import { invariant } from "../base/invariant.ts";
import { RevisionSet } from "./revision-set.ts";

/** "overtaken": a compaction at a later revision has begun, so this pass is void. */
export type SweepState = "running" | "done" | "overtaken";

/** What a pass needs from the index. */
export interface SweptIndex {
  /** All ids so far are below this; and those that come later are of keys without a revision to visit. */
  readonly ids: number;
  /** At most one revision is kept of each. */
  readonly keys: number;
  /** Revisions of all keys. */
  revisions(): number;
  /** The highest revision at which a compaction began; -1 = none. */
  compactedRevision(): number;
  /** Adds to `kept` what is kept of the key with this id, if it is one. */
  visit(id: number, kept: RevisionSet): void;
}

/** Keys, or kept revisions that are sorted, between two looks at the clock: far below a millisecond. */
const WORK_PER_LOOK = 256;

export class IndexSweep {
  readonly revision: number;
  readonly #index: SweptIndex;
  readonly #kept: RevisionSet;
  /** The id to visit next. */
  #at = 0;
  #gone = 0;
  #state: SweepState = "running";

  constructor(index: SweptIndex, revision: number) {
    this.revision = revision;
    this.#index = index;
    this.#kept = new RevisionSet(index.keys, true);
  }

  /** How many revisions the index has given up in it so far. */
  get gone(): number {
    return this.#gone;
  }

  /** How far it is, 0 to 1. */
  get part(): number {
    return this.#index.ids === 0 ? 1 : this.#at / this.#index.ids;
  }

  get state(): SweepState {
    return this.#state;
  }

  /** Once done: the revisions at or below `revision` that stay, at most one for each key; sorted, in shared memory. */
  get kept(): RevisionSet {
    invariant(this.#state === "done", "a pass is asked for its outcome when it is done");
    return this.#kept;
  }

  /** Goes on. @param work  keys to visit, or kept revisions to sort, at most. */
  step(work: number): SweepState {
    if (this.#state !== "running") return this.#state;
    if (this.#index.compactedRevision() > this.revision) this.#state = "overtaken";
    else if (this.#at < this.#index.ids) this.#visitKeys(work);
    else if (this.#kept.sortSome(work)) this.#state = "done";
    return this.#state;
  }

  /** Goes on for about `ms`, and a little of it at least. */
  stepFor(ms: number, clock: Pick<Clock, "nowMs">): SweepState {
    const end = clock.nowMs() + ms;
    do this.step(WORK_PER_LOOK);
    while (this.#state === "running" && clock.nowMs() < end);
    return this.#state;
  }

  /** Goes on to the end. */
  finish(): SweepState {
    while (this.step(Number.MAX_SAFE_INTEGER) === "running");
    return this.#state;
  }

  #visitKeys(work: number): void {
    const end = Math.min(this.#index.ids, this.#at + work);
    const before = this.#index.revisions();
    while (this.#at < end) this.#index.visit(this.#at++, this.#kept);
    this.#gone += before - this.#index.revisions();
  }
}
