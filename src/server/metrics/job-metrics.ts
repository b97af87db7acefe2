/** Of long work, and of what it holds up: names of our own. */
import { JOB_NAMES, type JobName } from "../../engine/jobs.ts";
import type { HistogramSample, Labels, MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addJobMetrics(set: MetricSet<Scrape>): void {
  addJobs(set);
  addDefragmentations(set);
  addReaders(set);
}

const KIND_LABELS: ReadonlyMap<JobName, Labels> = new Map(
  JOB_NAMES.map((kind) => [kind, { kind }]),
);

function labelsOf(kind: JobName): Labels {
  return KIND_LABELS.get(kind) ?? { kind };
}

function addJobs(set: MetricSet<Scrape>): void {
  set.gauge(
    "strata_jobs_running",
    "Long work that is under way, by kind.",
    ({ member }) => {
      const running = member.jobs.list();
      return JOB_NAMES.map((kind) => ({
        labels: labelsOf(kind),
        value: running.filter((job) => job.kind === kind).length,
      }));
    },
    ["kind"],
  );
  set.gauge(
    "strata_job_progress_ratio",
    "How much of its phase the oldest job of a kind has done; none while that cannot be told.",
    ({ member }) => {
      const byKind = new Map<JobName, number>();
      for (const { kind, done, total } of member.jobs.list()) {
        if (total > 0 && !byKind.has(kind)) byKind.set(kind, Math.min(1, done / total));
      }
      return [...byKind].map(([kind, value]): Sample => ({ labels: labelsOf(kind), value }));
    },
    ["kind"],
  );
  set.counter(
    "strata_jobs_total",
    "Long work that is over, by how it ended.",
    ({ member }) =>
      member.jobs.counts
        .all()
        .flatMap(({ kind, outcomes }) =>
          Object.entries(outcomes).map(
            ([outcome, value]): Sample => ({ labels: { kind, outcome }, value }),
          ),
        ),
    ["kind", "outcome"],
  );
  set.histogram(
    "strata_job_duration_seconds",
    "How long work of each kind took, however it ended.",
    ({ member }) =>
      member.jobs.counts
        .all()
        .filter(({ seconds }) => seconds.count > 0)
        .map(
          ({ kind, seconds }): HistogramSample => ({ labels: labelsOf(kind), histogram: seconds }),
        ),
    ["kind"],
  );
}

function addDefragmentations(set: MetricSet<Scrape>): void {
  set.histogram(
    "strata_defrag_longest_pause_seconds",
    "The longest that each defragmentation held commits up; puts and gets went on.",
    ({ instruments }) => instruments.defrag.pauseSeconds,
  );
  set.counter(
    "strata_defrag_reclaimed_bytes_total",
    "What defragmentations gave back to the disk.",
    ({ instruments }) => instruments.defrag.reclaimedBytes,
  );
}

function addReaders(set: MetricSet<Scrape>): void {
  set.gauge(
    "strata_pinned_commits",
    "Older commits of the database that are kept for those who read them.",
    ({ member }) => member.backend.pinned().length,
  );
  set.gauge(
    "strata_pinned_commit_oldest_seconds",
    "For how long the oldest of them has been kept; 0 if there is none.",
    ({ member }) => (member.backend.pinned()[0]?.heldMs ?? 0) / 1000,
  );
  set.gauge(
    "strata_pinned_bytes",
    "Freed pages that cannot be used again yet, because somebody may read them.",
    ({ status }) => status.pinnedBytes,
  );
  set.gauge(
    "strata_backend_buffered_bytes",
    "What is in the log and not yet in the database: it waits for the next commits.",
    ({ member }) => member.backend.bufferedBytes,
  );
}
