/**
 * Long work of a running member: what there is of it, how far it is, and a way to stop it. Whatever may take more than
 * a moment runs as one of these, so that nothing long is hidden from whoever looks after the member; and all of it ends
 * with the member. How it ended is remembered for a while, and counted.
 */
import type { Clock } from "../base/clock.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import type { Progress } from "../jobs/progress.ts";
import { JobCounts, type JobOutcome } from "./job-counts.ts";

export const JOB_NAMES = [
  "compaction",
  "defragmentation",
  "hash",
  "hash-kv",
  "integrity-check",
  "snapshot",
  "snapshot-save",
] as const;

export type JobName = (typeof JOB_NAMES)[number];

/** What `Progress.done` and `total` count. */
export type JobUnit = "bytes" | "records";

export interface JobReport extends Progress {
  /** Of this run of the member; above 0, and never given twice. */
  readonly id: number;
  readonly kind: JobName;
  /** Why it runs, or on what, for a reader: a rule, a path. Empty: somebody asked for it. */
  readonly about: string;
  readonly unit: JobUnit;
  readonly startedMs: number;
  readonly runningMs: number;
  readonly canBeCancelled: boolean;
  /** It was told to stop, and is on its way. */
  readonly stopping: boolean;
}

/** A job that is over. */
export interface FinishedJob extends JobReport {
  readonly outcome: JobOutcome;
  /** Why it was refused, or has failed. */
  readonly reason: string | undefined;
}

export interface JobAbout {
  readonly about?: string;
  readonly unit?: JobUnit;
  /** Of whoever asked for it. */
  readonly signal?: AbortSignal | undefined;
  /** Hears what is reported, too. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Default: yes. */
  readonly canBeCancelled?: boolean;
}

/** The end of it that whoever does the work holds. */
export interface Job {
  readonly id: number;
  /** Aborted by whoever asked for the work, by `cancel`, and by the end of the member. */
  readonly signal: AbortSignal;
  /** Bound: may be handed on. */
  readonly report: (progress: Progress) => void;
  /**
   * It is over. The first time counts, and further ones are harmless.
   * @param outcome  default: cancelled, if it was told to stop; else done
   * @param reason  of one that was refused or failed
   */
  end(outcome?: JobOutcome, reason?: string): void;
}

const NOTHING_YET: Progress = { phase: "", done: 0, total: 0, rate: 0, etaMs: undefined };

/** How many that are over are remembered. */
const REMEMBERED = 64;

interface Entry {
  readonly kind: JobName;
  readonly options: JobAbout;
  readonly startedMs: number;
  readonly stop: AbortController;
  readonly signal: AbortSignal;
  progress: Progress;
}

export class Jobs {
  /** How they ended, by kind. */
  readonly counts: JobCounts<JobName> = new JobCounts(JOB_NAMES);
  readonly #clock: Clock;
  readonly #stopped: AbortSignal;
  readonly #running = new Map<number, Entry>();
  readonly #finished: FinishedJob[] = [];
  #lastId = 0;
  #empty: (() => void)[] = [];

  /** @param stopped  ends all of them */
  constructor(clock: Clock, stopped: AbortSignal) {
    this.#clock = clock;
    this.#stopped = stopped;
  }

  /** Of work whose end is not that of a call; else see `run`. */
  begin(kind: JobName, options: JobAbout = {}): Job {
    const id = ++this.#lastId;
    const stop = new AbortController();
    const signals = [this.#stopped, stop.signal];
    if (options.signal !== undefined) signals.push(options.signal);
    const signal = AbortSignal.any(signals);
    const entry: Entry = {
      kind,
      options,
      startedMs: this.#clock.nowMs(),
      stop,
      signal,
      progress: NOTHING_YET,
    };
    this.#running.set(id, entry);
    return {
      id,
      signal,
      report: (progress) => {
        entry.progress = progress;
        options.onProgress?.(progress);
      },
      end: (outcome = signal.aborted ? "cancelled" : "done", reason) =>
        this.#end(id, outcome, reason),
    };
  }

  /**
   * Ends the job as the work ends, unless that does so itself: what rejects for want of disk was refused.
   * @throws (rejects) what the work rejects with; the signal's reason, if it has aborted before it begins
   */
  async run<T>(kind: JobName, options: JobAbout, work: (job: Job) => Promise<T>): Promise<T> {
    options.signal?.throwIfAborted();
    const job = this.begin(kind, options);
    try {
      const result = await work(job);
      job.end("done");
      return result;
    } catch (error) {
      if (job.signal.aborted) job.end("cancelled");
      else job.end(isRefusal(error) ? "refused" : "failed", reasonOf(error));
      throw error;
    }
  }

  /** In the order in which they began. */
  list(): JobReport[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#running].map(([id, entry]) => reportOf(id, entry, nowMs));
  }

  /** The last of those that are over, in the order in which they ended. */
  finished(): readonly FinishedJob[] {
    return this.#finished;
  }

  /**
   * Tells it to stop; whoever asked for the work gets `StrataError CANCELED`.
   * @throws StrataError NOT_FOUND if there is none of that id (it may be over); BAD_ARGUMENT if it has to come to its end
   */
  cancel(id: number): void {
    const entry = this.#running.get(id);
    if (entry === undefined) throw new StrataError("NOT_FOUND", `no job ${id} is running`);
    if (entry.options.canBeCancelled === false) {
      throw new StrataError("BAD_ARGUMENT", `job ${id}: a ${entry.kind} cannot be cancelled`);
    }
    entry.stop.abort(new StrataError("CANCELED", `job ${id} (${entry.kind}) was cancelled`));
  }

  /** Resolves when none is running. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await new Promise<void>((resolve) => this.#empty.push(resolve));
  }

  #end(id: number, outcome: JobOutcome, reason: string | undefined): void {
    const entry = this.#running.get(id);
    if (entry === undefined) return;
    this.#running.delete(id);
    const report = reportOf(id, entry, this.#clock.nowMs());
    this.counts.ended(entry.kind, outcome, report.runningMs / 1000);
    this.#finished.push({ ...report, stopping: false, outcome, reason });
    if (this.#finished.length > REMEMBERED) this.#finished.shift();
    if (this.#running.size > 0) return;
    const waiting = this.#empty;
    this.#empty = [];
    for (const resolve of waiting) resolve();
  }
}

function reportOf(
  id: number,
  { kind, options, startedMs, signal, progress }: Entry,
  nowMs: number,
): JobReport {
  return {
    ...progress,
    id,
    kind,
    about: options.about ?? "",
    unit: options.unit ?? "bytes",
    startedMs,
    runningMs: nowMs - startedMs,
    canBeCancelled: options.canBeCancelled ?? true,
    stopping: signal.aborted,
  };
}

/** Nothing was done, and nothing is broken. */
function isRefusal(error: unknown): boolean {
  return error instanceof StrataError && (error.code === "NO_DISK" || error.code === "NO_GAIN");
}
