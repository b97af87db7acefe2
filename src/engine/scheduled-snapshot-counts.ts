/**
 * What came of it. `unchanged`: there was nothing new to save. `no-room`: the disk was too full to begin. `corrupt`: it
 * was saved, and is not what it should be.
 */
export const SCHEDULED_SNAPSHOT_OUTCOMES = [
  "saved",
  "unchanged",
  "no-room",
  "failed",
  "corrupt",
] as const;
export type ScheduledSnapshotOutcome = (typeof SCHEDULED_SNAPSHOT_OUTCOMES)[number];

export interface LastScheduledSnapshot {
  /** When it was begun, since 1970; also of one that an earlier run has left. */
  readonly takenMs: number;
  /** Undefined: an earlier run has saved it. */
  readonly sizeBytes: number | undefined;
  /** Of saving and verifying it; undefined as well. */
  readonly tookMs: number | undefined;
}

/** Of --snapshot-dir, for metrics. */
export class ScheduledSnapshotCounts {
  /** Saved and verified. */
  last: LastScheduledSnapshot | undefined;
  readonly byOutcome: Map<ScheduledSnapshotOutcome, number> = new Map(
    SCHEDULED_SNAPSHOT_OUTCOMES.map((outcome) => [outcome, 0]),
  );

  add(outcome: ScheduledSnapshotOutcome): void {
    this.byOutcome.set(outcome, (this.byOutcome.get(outcome) ?? 0) + 1);
  }
}
