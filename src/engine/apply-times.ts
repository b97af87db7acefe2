/**
 * How long entries take to be applied, by kind and by whether they were refused; and which of them were slow. For
 * metrics: a look at the clock and a bucket each.
 *
 * @see etcd server/etcdserver/txn/metrics.go
 */
import { exponential, Histogram } from "../base/histogram.ts";

/** etcd's: 0.1 ms to 52 s. */
const APPLY_SECONDS = exponential(0.0001, 2, 20);

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

  constructor(slowMs: number) {
    this.slowMs = slowMs;
    this.byKind = this.#byKind;
  }

  /** @returns whether it was slow */
  applied(kind: string, succeeded: boolean, ms: number): boolean {
    let histograms = this.#byKind.get(kind);
    if (histograms === undefined) {
      histograms = { success: new Histogram(APPLY_SECONDS), failure: new Histogram(APPLY_SECONDS) };
      this.#byKind.set(kind, histograms);
    }
    (succeeded ? histograms.success : histograms.failure).observe(ms / 1000);
    if (ms <= this.slowMs) return false;
    this.slow++;
    return true;
  }
}
