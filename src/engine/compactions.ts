/**
 * Compactions of a running member as jobs: each that was scheduled is run, one after another, and can be waited for.
 */
import type { Clock } from "../base/clock.ts";
import type { Progress } from "../jobs/progress.ts";
import type { CompactionProgress, CompactionReport, Compactor } from "../mvcc/compaction.ts";
import type { Jobs } from "./jobs.ts";
import type { EngineLog } from "./log.ts";

export interface CompactionsParts {
  readonly compactor: Compactor;
  readonly jobs: Jobs;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: EngineLog;
  /** A step could not be written: nothing more may be. */
  readonly failed: (error: unknown) => void;
}

export class Compactions {
  readonly #parts: CompactionsParts;
  readonly #running = new Map<number, Promise<CompactionReport | undefined>>();

  constructor(parts: CompactionsParts) {
    this.#parts = parts;
  }

  /** Runs what was scheduled at `revision`. */
  start(revision: number): void {
    const { compactor, jobs, clock, log, failed } = this.#parts;
    const job = jobs.begin("compaction", {
      about: `revision ${revision}`,
      unit: "records",
      canBeCancelled: false,
    });
    let phase = "";
    let phaseMs = 0;
    const run = compactor.run(revision, (progress) => {
      const nowMs = clock.nowMs();
      if (progress.phase !== phase) {
        phase = progress.phase;
        phaseMs = nowMs;
      }
      job.report(withRate(progress, nowMs - phaseMs));
    });
    this.#running.set(revision, run);
    run
      .then((report) => {
        if (report === undefined) return;
        const { deleted, tookMs } = report;
        const fields = { revision, deleted, tookMs: Math.round(tookMs) };
        log({ level: "info", message: "finished scheduled compaction", fields });
      })
      .catch(failed)
      .finally(() => {
        job.end();
        this.#running.delete(revision);
      });
  }

  /** Resolves when what the compaction at `revision` gives up is gone from the disk, or when it was stopped. */
  async done(revision: number): Promise<void> {
    await this.#running.get(revision);
  }
}

function withRate({ phase, done, total }: CompactionProgress, phaseMs: number): Progress {
  const rate = phaseMs > 0 ? (done / phaseMs) * 1000 : 0;
  const etaMs = rate > 0 ? ((total - done) / rate) * 1000 : undefined;
  return { phase, done, total, rate, etaMs };
}
