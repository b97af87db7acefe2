/**
 * Observations by buckets, for metrics: plain numbers, so that one costs a few nanoseconds on a hot path, and whoever
 * is asked for the metrics reads them then.
 */
import { invariant } from "./invariant.ts";

export class Histogram {
  /** Upper bounds, ascending; a value equal to one is in its bucket. */
  readonly bounds: Float64Array;
  /** By bucket, not added up; the last one is of what is above all bounds. */
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds  ascending; see `exponential` */
  constructor(bounds: readonly number[]) {
    invariant(bounds.length > 0, "a histogram has buckets");
    for (let i = 1; i < bounds.length; i++) {
      const { [i - 1]: before = 0, [i]: bound = 0 } = bounds;
      invariant(before < bound, "bounds ascend", { before, bound });
    }
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** How many there were. */
  get count(): number {
    return this.counts.reduce((sum, each) => sum + each, 0);
  }

  observe(value: number): void {
    const { bounds } = this;
    // Most fall into the first few.
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}

/** As Prometheus makes them: `first`, and each so many times the one before. */
export function exponential(first: number, factor: number, count: number): number[] {
  const bounds: number[] = [];
  for (let bound = first; bounds.length < count; bound *= factor) bounds.push(bound);
  return bounds;
}

/** etcd's for the disk: 1 ms to 8.192 s. Seconds. */
export const DISK_SECONDS: readonly number[] = exponential(0.001, 2, 14);
