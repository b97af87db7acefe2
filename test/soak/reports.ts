/** What the processes of a soak tell the one that started them, as plain JSON. */

/** Every second. */
export interface LoadReport {
  readonly kind: "load";
  readonly operations: number;
  /** Of writes, since the last report: milliseconds. */
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** When it was told to stop, and has: what its lanes must have, and what a watch must have seen. */
export interface LoadOver {
  readonly kind: "load over";
  readonly lanes: readonly LaneDigest[];
  readonly keys: number;
}

/** Of all changes under a prefix, in order. */
export interface LaneDigest {
  readonly prefix: string;
  readonly changes: number;
  readonly crc: number;
}

export interface WatchReport {
  readonly kind: "watch";
  /** Up to which it has seen everything. */
  readonly revision: number;
  readonly events: number;
  readonly replays: number;
  readonly overtaken: number;
  /** Of leased keys: how much later than their time, and than the answer, the last one of them went. Seconds. */
  readonly latestExpiry: number;
}

export interface WatchOver extends Omit<WatchReport, "kind"> {
  readonly kind: "watch over";
  readonly lanes: readonly LaneDigest[];
  readonly keys: number;
}

export interface AuditReport {
  readonly kind: "audit";
  readonly snapshots: number;
  readonly snapshotBytes: number;
  readonly hashes: number;
}

/** It goes on, or cannot: in any case the soak has failed. */
export interface ErrorReport {
  readonly kind: "error";
  readonly what: string;
}

export type Report = LoadReport | LoadOver | WatchReport | WatchOver | AuditReport | ErrorReport;

/** What they are told. */
export type Order =
  | { readonly order: "stop" }
  /** Of the watch: when it has come to this revision. */
  | { readonly order: "stop at"; readonly revision: number };
