/**
 * Where leases, alarms and their like put what the database file is to hold. Whoever hands one in takes the rows into
 * the same transaction as the other effects of the entry and its index.
 */
export interface RowSink {
  /** Keeps both arrays; the caller does not change them afterwards. */
  putRow(bucket: Uint8Array, key: Uint8Array, value: Uint8Array): void;
  /** Of a key that may not be there. */
  deleteRow(bucket: Uint8Array, key: Uint8Array): void;
}
