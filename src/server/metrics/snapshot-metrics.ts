/** Of snapshots that the server takes by itself, and of integrity checks. etcd has none of these. */
import { SCHEDULED_SNAPSHOT_OUTCOMES } from "../../engine/scheduled-snapshot-counts.ts";
import type { MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

const NO_LABELS = {};

/** None while it is not known: a zero would be the year 1970, or an empty file. */
function ifKnown(value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ labels: NO_LABELS, value }];
}

export function addSnapshotMetrics(set: MetricSet<Scrape>): void {
  set.counter(
    "strata_scheduled_snapshots_total",
    "What came of snapshots to --snapshot-dir when they were due.",
    ({ instruments }) => {
      const { byOutcome } = instruments.scheduledSnapshots;
      return SCHEDULED_SNAPSHOT_OUTCOMES.map(
        (outcome): Sample => ({ labels: { outcome }, value: byOutcome.get(outcome) ?? 0 }),
      );
    },
    ["outcome"],
  );
  set.gauge(
    "strata_scheduled_snapshot_last_success_timestamp_seconds",
    "When the newest one that was saved and verified was begun, since 1970.",
    ({ instruments }) => {
      const { last } = instruments.scheduledSnapshots;
      return ifKnown(last && last.takenMs / 1000);
    },
  );
  set.gauge(
    "strata_scheduled_snapshot_last_duration_seconds",
    "How long it took to save and to verify.",
    ({ instruments }) => {
      const { last } = instruments.scheduledSnapshots;
      return ifKnown(last?.tookMs === undefined ? undefined : last.tookMs / 1000);
    },
  );
  set.gauge("strata_scheduled_snapshot_last_size_bytes", "Its size.", ({ instruments }) =>
    ifKnown(instruments.scheduledSnapshots.last?.sizeBytes),
  );
  set.counter(
    "strata_integrity_checks_faulty_total",
    "Integrity checks of the running database that found something.",
    ({ member }) => member.maintenance.integrityChecks.faulty,
  );
}
