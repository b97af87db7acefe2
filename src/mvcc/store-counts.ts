/**
 * What a store has been asked to do since it was opened, as etcd's metrics count it: each range, put and delete by
 * itself, wherever it stands, and a transaction if it has more than one of them. Plain numbers, read with the metrics.
 *
 * @see etcd server/storage/mvcc/metrics_txn.go
 */
export class StoreCounts {
  ranges = 0;
  puts = 0;
  /** Ranges that were to be deleted, not keys. */
  deletes = 0;
  txns = 0;
  /** Of the keys and values that were put. */
  putBytes = 0;

  /** What one transaction of etcd's did: its reads before, or all of it. @param operations  of any kind */
  ended(operations: number): void {
    if (operations > 1) this.txns++;
  }
}
