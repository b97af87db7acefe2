/**
 * Where an fdatasync runs: here, where it stops the event loop and costs nothing else, or beside, on a thread of
 * libuv's pool, which costs about 30 µs and most of the tail but lets the loop go on.
 */
export type SyncPlace = "here" | "beside";

export interface SyncPolicy {
  /** Where the next one is to run. @param appends  how many callers wait for it. */
  choose(appends: number): SyncPlace;
  /** Told after each: how long it took from its call until this thread knew of its end. */
  took(place: SyncPlace, ms: number): void;
}

/** Always the same. */
export function fixedSyncPolicy(place: SyncPlace): SyncPolicy {
  return { choose: () => place, took: () => undefined };
}

export interface AdaptiveSyncOptions {
  /** What 99 of 100 must not exceed to run here. Default: 1, a fifth of what the main loop may be held for. */
  readonly limitMs?: number;
  /** Whether the loop has nothing better to do meanwhile. Default: always. */
  readonly quiet?: () => boolean;
}

/** One long one in so many is made up for by the others. */
const WINDOW = 100;
const DEBT = WINDOW - 1;
/** How many long ones may not be made up for yet: those beside a sync of the page file come two or three at a time. */
const LONG_MAX = 4;
/** What is enough beside to believe that the disk is quick. */
const TRIAL = 16;
/** After a disk was too slow here, so many run beside before the next try, twice as many each time. */
const PENALTY_MIN = 256;
const PENALTY_MAX = 65_536;

/**
 * Beside at first. Here when half of those beside were within the limit, for as long as 99 of 100 here are, give or take
 * a few; then beside for a while, and a longer while each time that it did not last.
 */
export class AdaptiveSyncPolicy implements SyncPolicy {
  readonly #limitMs: number;
  readonly #quiet: () => boolean;
  #here = false;
  /** How many are left of the current window, and beside how many in it were long. */
  #left = TRIAL;
  #long = 0;
  /** Here: how many short ones would make up for the long ones. */
  #debt = 0;
  #penalty = PENALTY_MIN;

  constructor(options: AdaptiveSyncOptions = {}) {
    this.#limitMs = options.limitMs ?? 1;
    this.#quiet = options.quiet ?? (() => true);
  }

  choose(): SyncPlace {
    return this.#here && this.#quiet() ? "here" : "beside";
  }

  took(place: SyncPlace, ms: number): void {
    if ((place === "here") !== this.#here) return;
    this.#left--;
    const isLong = ms > this.#limitMs;
    if (this.#here) this.#watchHere(isLong);
    else {
      if (isLong) this.#long++;
      if (this.#left <= 0) this.#leaveBeside();
    }
  }

  #watchHere(isLong: boolean): void {
    this.#debt = isLong ? this.#debt + DEBT : Math.max(0, this.#debt - 1);
    if (this.#debt > LONG_MAX * DEBT) {
      this.#here = false;
      this.#left = this.#penalty;
      this.#penalty = Math.min(PENALTY_MAX, 2 * this.#penalty);
    } else if (this.#left <= 0) {
      this.#left = WINDOW;
      this.#penalty = Math.max(PENALTY_MIN, this.#penalty / 2);
    }
  }

  #leaveBeside(): void {
    // Only the last ones count, and half of them may be long: here is without the pool's own delay.
    if (this.#long <= TRIAL / 2) {
      this.#here = true;
      this.#debt = 0;
      this.#left = WINDOW;
    } else {
      this.#left = TRIAL;
    }
    this.#long = 0;
  }
}
