/**
 * How long entries take to be applied, by kind and by whether they were refused; and which of them were slow. For
 * metrics: a look at the clock and a bucket each.
 *
 * @see etcd server/etcdserver/txn/metrics.go
 */
import { exponential, Histogram } from "../base/histogram.ts";

/** etcd's: 0.1 ms to 52 s. */
const APPLY_SECONDS = exponential(0.0001, 2, 20);

const TIMED_PUTS = 16;

export interface ApplyHistograms {
  readonly success: Histogram;
  readonly failure: Histogram;
}

export class ApplyTimes {
  /** By kind of request; made when the first of it comes. Seconds. */
  readonly byKind: ReadonlyMap<string, ApplyHistograms>;
  readonly #byKind = new Map<string, ApplyHistograms>();
  /** From here on one counts as slow. */
  readonly slowMs: number;
  slow = 0;
  #puts = 0;
  #lastPutSeconds = 0;

  constructor(slowMs: number) {
    this.slowMs = slowMs;
    this.byKind = this.#byKind;
  }

  /**
   * Whether this one is to be timed. Of puts, which take some microseconds, it is one of a few: a look at the clock
   * costs a tenth of a microsecond and more. The others count as long as the last one that was timed and not slow.
   */
  isTimed(kind: string): boolean {
    if (kind !== "put") return true;
    this.#puts++;
    return this.#puts % TIMED_PUTS === 1;
  }

  /** One that was not timed. */
  put(succeeded: boolean): void {
    const { success, failure } = this.#histogramsOf("put");
    (succeeded ? success : failure).observe(this.#lastPutSeconds);
  }

  /** @returns whether it was slow */
  applied(kind: string, succeeded: boolean, ms: number): boolean {
    const { success, failure } = this.#histogramsOf(kind);
    (succeeded ? success : failure).observe(ms / 1000);
    if (ms > this.slowMs) {
      this.slow++;
      return true;
    }
    if (kind === "put") this.#lastPutSeconds = ms / 1000;
    return false;
  }

  #histogramsOf(kind: string): ApplyHistograms {
    let histograms = this.#byKind.get(kind);
    if (histograms === undefined) {
      histograms = { success: new Histogram(APPLY_SECONDS), failure: new Histogram(APPLY_SECONDS) };
      this.#byKind.set(kind, histograms);
    }
    return histograms;
  }
}
