/**
 * What etcd shows of things that are not here: the v2 store and the proxy. With 0, as an etcd shows that does not use
 * them, for dashboards that add them up.
 */
import type { MetricSet } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

const COUNTERS = [
  "etcd_debugging_store_expires_total",
  "etcd_debugging_store_watch_requests_total",
  "etcd_grpc_proxy_events_coalescing_total",
];

const COUNTERS_BY_ACTION = [
  "etcd_debugging_store_reads_total",
  "etcd_debugging_store_writes_total",
];

const GAUGES = [
  "etcd_debugging_store_watchers",
  "etcd_grpc_proxy_cache_hits_total",
  "etcd_grpc_proxy_cache_keys_total",
  "etcd_grpc_proxy_cache_misses_total",
  "etcd_grpc_proxy_watchers_coalescing_total",
];

const HELP = "Always 0: there is no v2 store here, and no proxy.";

export function addAbsentMetrics(set: MetricSet<Scrape>): void {
  for (const name of COUNTERS) set.counter(name, HELP, () => 0);
  for (const name of GAUGES) set.gauge(name, HELP, () => 0);
  for (const name of COUNTERS_BY_ACTION) {
    const labels = { action: "get" };
    set.counter(name, HELP, () => [{ labels, value: 0 }], ["action"]);
  }
  set.gauge("etcd_debugging_auth_revision", "Revision of users and roles.", () => 1);
}
