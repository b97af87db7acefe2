/** Of keys, watches and compactions. @see etcd server/storage/mvcc/metrics.go */
import type { MetricSet } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addMvccMetrics(set: MetricSet<Scrape>): void {
  addOperations(set);
  addSizes(set);
  addWatches(set);
  addCompactions(set);
  set.histogram(
    "etcd_mvcc_hash_duration_seconds",
    "How long hashes of the whole database took.",
    ({ instruments }) => instruments.hashSeconds,
  );
  set.histogram(
    "etcd_mvcc_hash_rev_duration_seconds",
    "How long hashes of the keys at a revision took.",
    ({ instruments }) => instruments.hashKvSeconds,
  );
}

function addOperations(set: MetricSet<Scrape>): void {
  // Under the name of 3.5 and under the one before.
  for (const prefix of ["etcd_mvcc", "etcd_debugging_mvcc"]) {
    set.counter(`${prefix}_put_total`, "Keys put.", ({ member }) => member.store.counts.puts);
    set.counter(
      `${prefix}_delete_total`,
      "Keys or ranges that were to be deleted.",
      ({ member }) => member.store.counts.deletes,
    );
    set.counter(
      `${prefix}_range_total`,
      "Ranges read.",
      ({ member }) => member.store.counts.ranges,
    );
    set.counter(
      `${prefix}_txn_total`,
      "Transactions of more than one operation.",
      ({ member }) => member.store.counts.txns,
    );
  }
  set.gauge(
    "etcd_debugging_mvcc_total_put_size_in_bytes",
    "Bytes of all keys and values put.",
    ({ member }) => member.store.counts.putBytes,
  );
  set.gauge(
    "etcd_debugging_mvcc_current_revision",
    "The store's revision.",
    ({ status }) => status.revision,
  );
  set.gauge(
    "etcd_debugging_mvcc_compact_revision",
    "The revision below which history is given up; -1 before the first compaction.",
    ({ status }) => status.compactedRevision,
  );
  set.gauge("etcd_debugging_mvcc_keys_total", "Keys that are there.", ({ status }) => status.keys);
}

function addSizes(set: MetricSet<Scrape>): void {
  for (const prefix of ["etcd_mvcc", "etcd_debugging_mvcc"]) {
    set.gauge(
      `${prefix}_db_total_size_in_bytes`,
      "Size of the database, free pages included.",
      ({ status }) => status.sizeBytes,
    );
  }
  set.gauge(
    "etcd_mvcc_db_total_size_in_use_in_bytes",
    "Size of the database without its free pages.",
    ({ status }) => status.inUseBytes,
  );
  set.gauge(
    "etcd_mvcc_db_open_read_transactions",
    "Commits of the database that somebody reads.",
    ({ member }) => 1 + member.backend.pinned().length,
  );
}

function addWatches(set: MetricSet<Scrape>): void {
  set.gauge(
    "etcd_debugging_mvcc_watch_stream_total",
    "Streams of watches that are open.",
    ({ member }) => member.watches.streams,
  );
  set.gauge(
    "etcd_debugging_mvcc_watcher_total",
    "Watches that are open.",
    ({ member }) => member.watches.watchers,
  );
  set.gauge(
    "etcd_debugging_mvcc_slow_watcher_total",
    "Watches that are behind the present.",
    ({ member }) => member.watches.slowWatchers,
  );
  set.counter(
    "etcd_debugging_mvcc_events_total",
    "Events handed out to watches.",
    ({ member }) => member.watches.eventsTaken,
  );
  set.gauge(
    "etcd_debugging_mvcc_pending_events_total",
    "Events that wait to be handed out.",
    ({ member }) => member.watches.eventsPending,
  );
}

function addCompactions(set: MetricSet<Scrape>): void {
  set.counter(
    "etcd_debugging_mvcc_db_compaction_keys_total",
    "Records that compactions deleted.",
    ({ instruments }) => instruments.compaction.deleted,
  );
  set.gauge(
    "etcd_debugging_mvcc_db_compaction_last",
    "When the last compaction ended, in seconds since 1970; 0 if there was none since the start.",
    ({ instruments }) => instruments.compaction.lastEndSeconds,
  );
  set.histogram(
    "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
    "The longest that each compaction held others up in the index.",
    ({ instruments }) => instruments.compaction.indexPauses,
  );
  set.histogram(
    "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
    "How long each step of a compaction took on the disk.",
    ({ instruments }) => instruments.compaction.steps,
  );
  set.histogram(
    "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
    "How long each compaction took on the disk, pauses included.",
    ({ instruments }) => instruments.compaction.totals,
  );
}
