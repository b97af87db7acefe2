/**
 * What is said over and over is said less: of each message the first hundred of a second, then every hundredth. So a
 * peer that provokes the same warning again and again cannot fill a disk. zap does the same.
 */

const FIRST = 100;
const THEREAFTER = 100;
const SPAN_MS = 1000;
/** Messages are constants of the code; should one ever not be, memory stays bounded. */
const MESSAGES_MAX = 1000;

export class Sampler {
  #spanEndMs = 0;
  readonly #counts = new Map<string, number>();

  /** Whether it is to be said this time. */
  lets(message: string, nowMs: number): boolean {
    if (nowMs >= this.#spanEndMs || nowMs < this.#spanEndMs - SPAN_MS) {
      this.#counts.clear();
      this.#spanEndMs = nowMs + SPAN_MS;
    }
    const count = (this.#counts.get(message) ?? 0) + 1;
    if (this.#counts.size < MESSAGES_MAX || this.#counts.has(message)) {
      this.#counts.set(message, count);
    }
    return count <= FIRST || (count - FIRST) % THEREAFTER === 0;
  }
}
