/**
 * Brings those who are behind up to the present, on the main loop: in slices of about a millisecond with everything
 * else in between, and in each slice all jobs in turn, so that none waits for a long one.
 *
 * Of few keys the index knows the revisions at once; all others sweep through history, together where they can.
 */
import type { Clock } from "../../base/clock.ts";
import { StrataError } from "../../base/errors.ts";
import { Fifo } from "./fifo.ts";
import { endIfCompacted, failWatcher, type HistoryJob, type HistoryOwner } from "./history.ts";
import { KeyHistory } from "./key-history.ts";
import { Sweep } from "./sweep.ts";
import type { Watcher } from "./watcher.ts";

export interface CatchUpOptions {
  readonly clock: Pick<Clock, "nowMs">;
  /** Runs `slice` once, in a later turn of the event loop. */
  readonly schedule: (slice: () => void) => void;
  /** What a slice may take of the main loop, about; a little is done in any case. */
  readonly sliceMs: number;
}

/** If a range has one in so many of all the revisions, a sweep is as good, and can be shared. */
const DENSE = 8;

/** Slices for newcomers alone, in a row. */
const ARRIVAL_SLICES_MAX = 8;

export class CatchUp {
  readonly #owner: HistoryOwner;
  readonly #options: CatchUpOptions;
  readonly #arrivals = new Fifo<Watcher>();
  readonly #jobs = new Fifo<HistoryJob>();
  /** Sweeps by stretches of history, `reach` revisions each. */
  readonly #sweeps = new Map<number, Set<Sweep>>();
  /** So many slices came to no job for newcomers. */
  #arrivalSlices = 0;
  #scheduled = false;
  #closed = false;

  constructor(owner: HistoryOwner, options: CatchUpOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  /** Sweeps under way: for tests. */
  get sweeps(): number {
    let count = 0;
    for (const sweeps of this.#sweeps.values()) count += sweeps.size;
    return count;
  }

  add(watcher: Watcher): void {
    this.#arrivals.push(watcher);
    this.#schedule();
  }

  /** The watcher is over. */
  remove(watcher: Watcher): void {
    if (watcher.sweep !== undefined) watcher.sweep.leave(watcher);
    else watcher.group?.remove(watcher);
  }

  close(): void {
    this.#closed = true;
    this.#arrivals.clear();
    this.#jobs.clear();
    this.#sweeps.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#options.schedule(this.#slice);
  }

  readonly #slice = (): void => {
    this.#scheduled = false;
    const { clock, sliceMs } = this.#options;
    const end = clock.nowMs() + sliceMs;
    // Sweeps begin when all newcomers have had the chance to join; but newcomers must not hold up the others for ever.
    let jobFirst = ++this.#arrivalSlices > ARRIVAL_SLICES_MAX;
    do {
      if (this.#jobs.length > 0 && (jobFirst || this.#arrivals.length === 0)) {
        this.#stepJob();
        jobFirst = false;
        this.#arrivalSlices = 0;
      } else this.#stepArrival();
    } while (this.#hasWork && clock.nowMs() < end);
    if (this.#hasWork) this.#schedule();
  };

  get #hasWork(): boolean {
    return this.#arrivals.length > 0 || this.#jobs.length > 0;
  }

  #stepArrival(): void {
    const watcher = this.#arrivals.shift();
    // It may have been cancelled meanwhile.
    if (watcher?.state !== "behind") return;
    failing(
      () => this.#admit(watcher),
      (error) => failWatcher(watcher, error),
    );
  }

  #stepJob(): void {
    const job = this.#jobs.shift();
    if (job === undefined) return;
    if (job instanceof Sweep) this.#forget(job);
    let more = false;
    failing(
      () => {
        more = job.step();
      },
      (error) => job.fail(error),
    );
    if (!more) return;
    this.#jobs.push(job);
    if (job instanceof Sweep) this.#remember(job);
  }

  #admit(watcher: Watcher): void {
    const { source, revision, tuning } = this.#owner;
    const { shortGap, keysMax } = tuning;
    if (endIfCompacted(watcher, source)) return;
    if (watcher.next > revision) {
      this.#owner.goLive(watcher);
      return;
    }
    const gap = revision - watcher.next + 1;
    if (watcher.end !== "" && (gap <= shortGap || this.#joinsSweep(watcher))) {
      if (watcher.sweep === undefined) this.#sweep(watcher);
      return;
    }
    const set = source.revisionsSince(watcher.start, watcher.end, watcher.next, keysMax);
    if (set !== undefined && (gap <= shortGap || set.count * DENSE <= gap)) {
      this.#jobs.push(new KeyHistory(this.#owner, watcher, set));
    } else this.#sweep(watcher);
  }

  #sweep(watcher: Watcher): void {
    if (this.#joinsSweep(watcher)) return;
    const sweep = new Sweep(this.#owner, watcher.next);
    sweep.join(watcher);
    this.#jobs.push(sweep);
    this.#remember(sweep);
  }

  #joinsSweep(watcher: Watcher): boolean {
    const { reach } = this.#owner.tuning;
    const stretch = Math.floor(watcher.next / reach);
    for (const at of [stretch, stretch - 1, stretch + 1]) {
      for (const sweep of this.#sweeps.get(at) ?? []) {
        if (Math.abs(watcher.next - sweep.at) > reach || !sweep.canTake(watcher)) continue;
        this.#forget(sweep);
        sweep.join(watcher);
        this.#remember(sweep);
        return true;
      }
    }
    return false;
  }

  #remember(sweep: Sweep): void {
    const stretch = Math.floor(sweep.at / this.#owner.tuning.reach);
    const sweeps = this.#sweeps.get(stretch);
    if (sweeps === undefined) this.#sweeps.set(stretch, new Set([sweep]));
    else sweeps.add(sweep);
  }

  #forget(sweep: Sweep): void {
    const stretch = Math.floor(sweep.at / this.#owner.tuning.reach);
    const sweeps = this.#sweeps.get(stretch);
    sweeps?.delete(sweep);
    if (sweeps?.size === 0) this.#sweeps.delete(stretch);
  }
}

/** Runs `work`; an operating error out of it goes to `fail`, a bug does not. */
function failing(work: () => void, fail: (error: StrataError) => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof StrataError)) throw error;
    fail(error);
  }
}
