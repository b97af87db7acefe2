/** How much a peer may do that is of no use to anybody: so much at once, more as time passes or as it earns it. */

export class Budget {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #filledMs: number;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
    this.#filledMs = performance.now();
  }

  /** @returns false: it is used up */
  spend(amount: number): boolean {
    if (this.#left < amount) this.#fill();
    this.#left -= amount;
    return this.#left >= 0;
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#burst, this.#left + amount);
  }

  #fill(): void {
    const nowMs = performance.now();
    this.earn(((nowMs - this.#filledMs) / 1000) * this.#perSecond);
    this.#filledMs = nowMs;
  }
}
