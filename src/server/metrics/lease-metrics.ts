/** @see etcd server/lease/metrics.go */
import type { MetricSet } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addLeaseMetrics(set: MetricSet<Scrape>): void {
  set.counter(
    "etcd_debugging_lease_granted_total",
    "Leases granted.",
    ({ member }) => member.lessor.counts.granted,
  );
  set.counter(
    "etcd_debugging_lease_revoked_total",
    "Leases that have ended.",
    ({ member }) => member.lessor.counts.revoked,
  );
  set.counter(
    "etcd_debugging_lease_renewed_total",
    "Renewals of leases.",
    ({ member }) => member.lessor.counts.renewed,
  );
  set.counter(
    "etcd_debugging_server_lease_expired_total",
    "Leases that have ended because nobody renewed them.",
    ({ member }) => member.lessor.counts.expired,
  );
  set.histogram(
    "etcd_debugging_lease_ttl_total",
    "TTLs that leases were granted, in seconds.",
    ({ member }) => member.lessor.counts.ttls,
  );
}
