/** Of what the server does by itself. etcd has none of these. */
import type { MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addSelfMaintenanceMetrics(set: MetricSet<Scrape>): void {
  set.counter(
    "strata_auto_defrag_total",
    "What came of the rule of --auto-defrag when it held: runs, attempts that failed, and waits.",
    ({ instruments }) =>
      [...instruments.autoDefrag.byOutcome].map(
        ([outcome, value]): Sample => ({ labels: { outcome }, value }),
      ),
    ["outcome"],
  );
}
