import { exponential, Histogram } from "../base/histogram.ts";

/** What compactions took, for metrics. All in milliseconds. @see etcd server/storage/mvcc/metrics.go */
export class CompactionCounts {
  /** Records that were deleted. */
  deleted = 0;
  /** When the last one ended, in seconds since 1970; 0: there has been none. */
  lastEndSeconds = 0;
  /** The longest that each held the event loop while it went through the index. */
  readonly indexPauses: Histogram = new Histogram(exponential(0.5, 2, 14));
  /** Each step's on the disk. */
  readonly steps: Histogram = new Histogram(exponential(1, 2, 13));
  /** Each compaction's on the disk, pauses between its steps included. */
  readonly totals: Histogram = new Histogram(exponential(100, 2, 14));
}
