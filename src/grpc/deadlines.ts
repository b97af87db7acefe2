/**
 * The deadlines of all calls in one structure: a wheel of lists, and one timer that runs only while there are any. To
 * set and to lift a deadline is a few assignments, since nearly all are lifted long before they pass.
 */

const TICK_MS = 16;
/** A power of two. Deadlines further off than a turn of the wheel (some 4 s) are passed over until their turn comes. */
const SLOTS = 256;

/** Something with a deadline. The links belong to the wheel. */
export interface Timed {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number | undefined;
  earlier: Timed | undefined;
  later: Timed | undefined;
  /** Where it hangs; -1: nowhere. */
  slot: number;
  /** The deadline has passed; it is off the wheel already. */
  expired(): void;
}

/** Deadlines pass up to some 30 ms late, and never early. */
export class Deadlines {
  readonly #slots: (Timed | undefined)[] = new Array<Timed | undefined>(SLOTS).fill(undefined);
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  /** The tick up to which, itself included, the wheel was looked at. */
  #seen = 0;

  get size(): number {
    return this.#size;
  }

  /** @param deadlineMs  its own */
  add(timed: Timed, deadlineMs: number): void {
    if (this.#timer === undefined) this.#start();
    const slot = Math.max(this.#seen + 1, Math.ceil(deadlineMs / TICK_MS)) % SLOTS;
    const first = this.#slots[slot];
    timed.slot = slot;
    timed.earlier = undefined;
    timed.later = first;
    if (first !== undefined) first.earlier = timed;
    this.#slots[slot] = timed;
    this.#size++;
  }

  /** Nothing happens to one that is not there. */
  remove(timed: Timed): void {
    if (timed.slot < 0) return;
    const { earlier, later } = timed;
    if (earlier === undefined) this.#slots[timed.slot] = later;
    else earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    timed.slot = -1;
    timed.earlier = undefined;
    timed.later = undefined;
    this.#size--;
  }

  #start(): void {
    this.#seen = Math.floor(performance.now() / TICK_MS);
    this.#timer = setInterval(() => this.#look(), TICK_MS);
    this.#timer.unref();
  }

  #look(): void {
    if (this.#size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const nowMs = performance.now();
    const tick = Math.floor(nowMs / TICK_MS);
    const passed: Timed[] = [];
    for (let at = Math.max(this.#seen + 1, tick - SLOTS + 1); at <= tick; at++) {
      for (let timed = this.#slots[at % SLOTS]; timed !== undefined; timed = timed.later) {
        if ((timed.deadlineMs ?? nowMs) <= nowMs) passed.push(timed);
      }
    }
    this.#seen = tick;
    for (const timed of passed) {
      if (timed.slot < 0) continue;
      this.remove(timed);
      timed.expired();
    }
  }
}
