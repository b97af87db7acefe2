import { exponential, Histogram } from "../base/histogram.ts";

/** Defragmentations of the running store, for metrics. How they ended is among the jobs' counts. */
export class DefragCounts {
  /** Under way. */
  running = 0;
  /** etcd's: 0.1 s to 410 s. */
  readonly seconds: Histogram = new Histogram(exponential(0.1, 2, 13));
  /** The longest that each held commits up: 1 ms to 8 s. */
  readonly pauseSeconds: Histogram = new Histogram(exponential(0.001, 2, 14));
  /** Given back to the disk. */
  reclaimedBytes = 0;

  ended(report: {
    readonly outcome: "done" | "refused";
    readonly sizeBeforeBytes: number;
    readonly sizeAfterBytes: number;
    readonly longestPauseMs: number;
  }): void {
    if (report.outcome === "refused") return;
    this.pauseSeconds.observe(report.longestPauseMs / 1000);
    this.reclaimedBytes += Math.max(0, report.sizeBeforeBytes - report.sizeAfterBytes);
  }
}
