/** How long to wait before what failed is tried again. */
import type { Clock } from "../base/clock.ts";

const FIRST_MS = 20;
const MAX_MS = 1000;

/** Doubles from 20 ms to a second, less up to a half by chance, so that not all come back at once. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #nextMs: number = FIRST_MS;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** It went well: the next wait is the first one again. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }

  /** @param signal  ends the wait early */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(MAX_MS, this.#nextMs * 2);
    await this.#clock.sleep(ms, signal);
  }
}
