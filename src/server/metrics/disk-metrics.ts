/** Of the log, the database and the `.snap` files. */
import { DISK_SECONDS, exponential, Histogram } from "../../base/histogram.ts";
import type { MetricSet } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addDiskMetrics(set: MetricSet<Scrape>): void {
  addLog(set);
  addDatabase(set);
  addSnapFiles(set);
}

function addLog(set: MetricSet<Scrape>): void {
  set.histogram(
    "etcd_disk_wal_fsync_duration_seconds",
    "How long syncs of the log took.",
    ({ instruments }) => instruments.wal.fsyncSeconds,
  );
  set.histogram(
    "etcd_disk_wal_write_duration_seconds",
    "How long writes to the log took.",
    ({ instruments }) => instruments.wal.writeSeconds,
  );
  set.gauge(
    "etcd_disk_wal_write_bytes_total",
    "Bytes written to the log since the start.",
    ({ instruments }) => instruments.wal.counts.bytes,
  );
}

function addDatabase(set: MetricSet<Scrape>): void {
  set.histogram(
    "etcd_disk_backend_commit_duration_seconds",
    "How long commits of the database took.",
    ({ member }) => member.backend.commitHistograms.total,
  );
  for (const part of ["rebalance", "spill", "write"] as const) {
    set.histogram(
      `etcd_debugging_disk_backend_commit_${part}_duration_seconds`,
      `How long commits of the database took, of that: ${part}.`,
      ({ member }) => member.backend.commitHistograms[part],
    );
  }
  set.histogram(
    "etcd_disk_backend_snapshot_duration_seconds",
    "How long it took to send snapshots to clients.",
    ({ instruments }) => instruments.snapshotSendSeconds,
  );
  set.histogram(
    "etcd_disk_backend_defrag_duration_seconds",
    "How long defragmentations took.",
    ({ instruments }) => instruments.defrag.seconds,
  );
  set.gauge(
    "etcd_disk_defrag_inflight",
    "1 while a defragmentation runs, else 0.",
    ({ instruments }) => Math.min(1, instruments.defrag.running),
  );
}

/** What a leader sends to members that are far behind, of which there are none. */
const NEVER_RECEIVED = new Histogram(exponential(0.1, 2, 10));
const NEVER = new Histogram(DISK_SECONDS);

function addSnapFiles(set: MetricSet<Scrape>): void {
  // The file is written and synced in one go; what making its content takes is not worth a look at the clock.
  set.histogram(
    "etcd_debugging_snap_save_total_duration_seconds",
    "How long it took to save .snap files.",
    ({ instruments }) => instruments.snapSaveSeconds,
  );
  set.histogram(
    "etcd_snap_fsync_duration_seconds",
    "How long it took to write and sync .snap files.",
    ({ instruments }) => instruments.snapSaveSeconds,
  );
  set.histogram(
    "etcd_debugging_snap_save_marshalling_duration_seconds",
    "How long it took to encode .snap files: not measured.",
    () => NEVER,
  );
  set.histogram(
    "etcd_snap_db_fsync_duration_seconds",
    "How long syncs of databases received from other members took.",
    () => NEVER,
  );
  set.histogram(
    "etcd_snap_db_save_total_duration_seconds",
    "How long it took to save databases received from other members.",
    () => NEVER_RECEIVED,
  );
}
