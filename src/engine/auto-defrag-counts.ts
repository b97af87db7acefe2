/** What came of it: a run, an attempt that failed, or a rule that held and had to wait. */
export type AutoDefragOutcome =
  | "done"
  | "no-gain"
  | "no-disk"
  | "cancelled"
  | "failed"
  | "quiet-hours"
  | "min-interval";

const OUTCOMES: readonly AutoDefragOutcome[] = [
  "done",
  "no-gain",
  "no-disk",
  "cancelled",
  "failed",
  "quiet-hours",
  "min-interval",
];

/** Of the rule of --auto-defrag, for metrics. A wait counts once, however long it is. */
export class AutoDefragCounts {
  readonly byOutcome: Map<AutoDefragOutcome, number> = new Map(
    OUTCOMES.map((outcome) => [outcome, 0]),
  );

  add(outcome: AutoDefragOutcome): void {
    this.byOutcome.set(outcome, (this.byOutcome.get(outcome) ?? 0) + 1);
  }
}
