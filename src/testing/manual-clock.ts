import type { Clock } from "../base/clock.ts";
import { invariant } from "../base/invariant.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until the test winds it. */
export class ManualClock implements Clock {
  #nowMs: number;
  /** In the order they wake: by time, then by who slept first. */
  readonly #sleepers: Sleeper[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** How many wait in `sleep`. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        const at = this.#sleepers.indexOf(sleeper);
        if (at >= 0) this.#sleepers.splice(at, 1);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper: Sleeper = { dueMs: this.#nowMs + Math.max(0, ms), wake };
      const later = this.#sleepers.findIndex((other) => other.dueMs > sleeper.dueMs);
      this.#sleepers.splice(later < 0 ? this.#sleepers.length : later, 0, sleeper);
      signal.addEventListener("abort", wake);
    });
  }

  /**
   * Winds the clock on by `ms`, waking each sleeper at its own moment and letting it run before the next: a loop that
   * sleeps 100 ms goes round ten times in a second. Work that waits for real I/O in between is not waited for.
   */
  async advance(ms: number): Promise<void> {
    invariant(ms >= 0, "time does not go back", { ms });
    const endMs = this.#nowMs + ms;
    await settle(); // Whoever is on the way to `sleep` gets there first.
    for (let next = this.#sleepers[0]; next && next.dueMs <= endMs; next = this.#sleepers[0]) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
