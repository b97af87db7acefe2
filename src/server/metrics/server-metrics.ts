/** Of the member as a whole: who it is, what went through its log, its health. @see etcd server/etcdserver/metrics.go */
import { ETCD_VERSION } from "../../base/version.ts";
import { AlarmType } from "../../proto/messages.ts";
import type { HistogramSample, MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addServerMetrics(set: MetricSet<Scrape>): void {
  addIdentity(set);
  addLeadership(set);
  addProposals(set);
  addHealth(set);
}

function addIdentity(set: MetricSet<Scrape>): void {
  const info = (name: string, help: string, label: string, value: (from: Scrape) => string): void =>
    set.gauge(name, help, (from) => [{ labels: { [label]: value(from) }, value: 1 }], [label]);
  info(
    "etcd_server_version",
    "1, with the version of etcd that this server answers as.",
    "server_version",
    () => ETCD_VERSION,
  );
  info(
    "etcd_server_go_version",
    "1, with what this server runs on.",
    "server_go_version",
    () => `node ${process.version}`,
  );
  info("etcd_server_id", "1, with the member's ID in hexadecimal.", "server_id", ({ status }) =>
    status.memberId.toString(16),
  );
  set.gauge(
    "etcd_cluster_version",
    "1, with the version that the cluster has agreed on.",
    ({ member }) => {
      const version = member.cluster.version?.split(".").slice(0, 2).join(".");
      return version === undefined ? [] : [{ labels: { cluster_version: version }, value: 1 }];
    },
    ["cluster_version"],
  );
  set.gauge(
    "etcd_server_quota_backend_bytes",
    "The size of the database beyond which writes are refused.",
    ({ instruments }) => instruments.space.quota.flag,
  );
  addQuota(set);
  set.gauge(
    "etcd_debugging_server_alarms",
    "1 for each alarm that is raised.",
    ({ status }) => status.alarms.map(alarmSample),
    ["server_id", "alarm_type"],
  );
}

/** What etcd does not have. */
function addQuota(set: MetricSet<Scrape>): void {
  set.gauge(
    "strata_quota_used_bytes",
    "What counts against the quota, by the rule that is in force.",
    ({ instruments }) => instruments.space.usedBytes(),
  );
  set.counter(
    "strata_quota_refused_total",
    "Writes refused for want of room, or because of the alarm.",
    ({ instruments }) => instruments.space.refusals,
  );
  set.gauge(
    "strata_quota_soft_limit_exceeded",
    "1 above the soft limit of the quota, else 0; absent if there is none.",
    ({ instruments }) => {
      const { forecast } = instruments.space;
      return forecast === undefined ? [] : Number(forecast.isAboveSoftLimit);
    },
  );
  set.gauge(
    "strata_quota_full_seconds",
    "Until the quota is reached, as fast as the last minutes went; absent without a soft limit.",
    ({ instruments }) => {
      const { fullInMs } = instruments.space.forecast ?? {};
      return fullInMs === undefined ? [] : fullInMs / 1000;
    },
  );
}

function alarmSample({ memberId, alarm }: { memberId: bigint; alarm: number }): Sample {
  const name =
    alarm === AlarmType.noSpace ? "NOSPACE" : alarm === AlarmType.corrupt ? "CORRUPT" : `${alarm}`;
  return { labels: { alarm_type: name, server_id: memberId.toString(16) }, value: 1 };
}

/** Of a cluster of one: it leads from the start, and nobody else ever does. */
function addLeadership(set: MetricSet<Scrape>): void {
  const always: readonly [name: string, help: string, value: number][] = [
    ["etcd_server_has_leader", "1 if there is a leader, else 0.", 1],
    ["etcd_server_is_leader", "1 if this member leads, else 0.", 1],
    ["etcd_server_is_learner", "1 if this member is a learner, else 0.", 0],
    ["etcd_server_snapshot_apply_in_progress_total", "1 while a leader's snapshot is applied.", 0],
  ];
  for (const [name, help, value] of always) set.gauge(name, help, () => value);
  const never: readonly [name: string, help: string, value: number][] = [
    ["etcd_server_leader_changes_seen_total", "How often a leader was found.", 1],
    ["etcd_server_heartbeat_send_failures_total", "Heartbeats that could not be sent.", 0],
    ["etcd_server_learner_promote_successes", "Learners that became voters.", 0],
    ["etcd_server_read_indexes_failed_total", "Reads that other members did not confirm.", 0],
    ["etcd_server_slow_read_indexes_total", "Reads that others were slow to confirm.", 0],
  ];
  for (const [name, help, value] of never) set.counter(name, help, () => value);
}

function addProposals(set: MetricSet<Scrape>): void {
  set.gauge(
    "etcd_server_proposals_committed_total",
    "Index of the last entry of the log that is committed.",
    ({ instruments }) => instruments.wal.committedIndex,
  );
  set.gauge(
    "etcd_server_proposals_applied_total",
    "Index of the last entry of the log that is applied.",
    ({ status }) => status.raftAppliedIndex,
  );
  set.gauge(
    "etcd_server_proposals_pending",
    "Requests that wait for the log.",
    ({ instruments }) => instruments.proposals.pending,
  );
  set.counter(
    "etcd_server_proposals_failed_total",
    "Requests that did not get into the log.",
    ({ instruments }) => instruments.proposals.failed,
  );
  set.counter(
    "etcd_server_slow_apply_total",
    "Entries of the log that took too long to apply.",
    ({ instruments }) => instruments.applyTimes.slow,
  );
  set.histogram(
    "etcd_server_apply_duration_seconds",
    "How long entries of the log took to apply.",
    applySamples,
    ["version", "op", "success"],
  );
}

function applySamples({ instruments }: Scrape): HistogramSample[] {
  const samples: HistogramSample[] = [];
  for (const [kind, { success, failure }] of instruments.applyTimes.byKind) {
    const op = kind.charAt(0).toUpperCase() + kind.slice(1);
    for (const histogram of [success, failure]) {
      if (histogram.count === 0) continue;
      const labels = { op, success: String(histogram === success), version: "v3" };
      samples.push({ labels, histogram });
    }
  }
  return samples;
}

function addHealth(set: MetricSet<Scrape>): void {
  set.counter(
    "etcd_server_health_success",
    "Answers of /health that said healthy.",
    ({ http }) => http.healthy,
  );
  set.counter(
    "etcd_server_health_failures",
    "Answers of /health that said unhealthy.",
    ({ http }) => http.unhealthy,
  );
  set.gauge(
    "etcd_server_healthcheck",
    "How each check of /livez and /readyz ended last: 1 if well, else 0.",
    ({ http }) =>
      [...http.checks.values()].map(({ type, name, last }) => ({
        labels: { name, type },
        value: last ? 1 : 0,
      })),
    ["type", "name"],
  );
  set.counter(
    "etcd_server_healthchecks_total",
    "How often each check of /livez and /readyz ended how.",
    ({ http }) =>
      [...http.checks.values()].flatMap(({ type, name, successes, errors }) => [
        ...(errors === 0 ? [] : [{ labels: { name, status: "error", type }, value: errors }]),
        ...(successes === 0
          ? []
          : [{ labels: { name, status: "success", type }, value: successes }]),
      ]),
    ["type", "name", "status"],
  );
}
