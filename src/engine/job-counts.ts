/** How jobs ended, and how long they took, for metrics. */
import { exponential, Histogram } from "../base/histogram.ts";

/** `refused`: nothing was done, for a reason; nothing is broken. `failed`: something is. */
export const JOB_OUTCOMES = ["done", "refused", "failed", "cancelled"] as const;
export type JobOutcome = (typeof JOB_OUTCOMES)[number];

export interface JobCount<Kind> {
  readonly kind: Kind;
  readonly outcomes: Readonly<Record<JobOutcome, number>>;
  /** 10 ms to 44 min. */
  readonly seconds: Histogram;
}

const BOUNDS = exponential(0.01, 4, 10);

export class JobCounts<Kind extends string> {
  readonly #byKind: ReadonlyMap<Kind, JobCount<Kind> & { outcomes: Record<JobOutcome, number> }>;

  /** @param kinds  all that there are: those that never ran are counted, too */
  constructor(kinds: readonly Kind[]) {
    this.#byKind = new Map(
      kinds.map((kind) => [
        kind,
        {
          kind,
          outcomes: { done: 0, refused: 0, failed: 0, cancelled: 0 },
          seconds: new Histogram(BOUNDS),
        },
      ]),
    );
  }

  ended(kind: Kind, outcome: JobOutcome, seconds: number): void {
    const count = this.#byKind.get(kind);
    if (count === undefined) return;
    count.outcomes[outcome]++;
    count.seconds.observe(seconds);
  }

  all(): readonly JobCount<Kind>[] {
    return [...this.#byKind.values()];
  }
}
