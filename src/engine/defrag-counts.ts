import { exponential, Histogram } from "../base/histogram.ts";

/** Defragmentations of the running store, for metrics. */
export class DefragCounts {
  /** Under way. */
  running = 0;
  /** etcd's: 0.1 s to 410 s. */
  readonly seconds: Histogram = new Histogram(exponential(0.1, 2, 13));
}
