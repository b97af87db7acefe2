import { exponential, Histogram } from "../base/histogram.ts";

/** What became of leases since the start, replayed entries included; for metrics. @see etcd server/lease/metrics.go */
export class LeaseCounts {
  granted = 0;
  revoked = 0;
  renewed = 0;
  /** Of the revoked ones, those that had expired. */
  expired = 0;
  /** Granted TTLs, in seconds. */
  readonly ttls: Histogram = new Histogram(exponential(1, 2, 24));
}
