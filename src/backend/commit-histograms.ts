import { DISK_SECONDS, Histogram } from "../base/histogram.ts";
import type { CommitTimes } from "../pagefile/tx.ts";

/** What commits took on the thread that made them, for metrics. Seconds. @see etcd server/storage/backend/metrics.go */
export class CommitHistograms {
  readonly total: Histogram = new Histogram(DISK_SECONDS);
  readonly rebalance: Histogram = new Histogram(DISK_SECONDS);
  readonly spill: Histogram = new Histogram(DISK_SECONDS);
  readonly write: Histogram = new Histogram(DISK_SECONDS);

  observe({ rebalanceMs, spillMs, writeMs, totalMs }: CommitTimes): void {
    this.total.observe(totalMs / 1000);
    this.rebalance.observe(rebalanceMs / 1000);
    this.spill.observe(spillMs / 1000);
    this.write.observe(writeMs / 1000);
  }
}
