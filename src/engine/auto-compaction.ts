/**
 * Gives up history by itself, as etcd's --auto-compaction-mode says: what is older than a time, or all but so many
 * revisions.
 *
 * Periodic: the revision is looked at ten times in a period (of an hour at most), and the looks of one period are kept;
 * so the oldest is what the revision was a period ago. After the first period that one is compacted, and from then on
 * once in a period, or an hour if that is less. Revision: every five minutes.
 *
 * @see etcd server/etcdserver/api/v3compactor
 */
import type { Clock } from "../base/clock.ts";
import { EtcdError, reasonOf, StrataError } from "../base/errors.ts";
import { formatGoDuration, parseGoDuration } from "../base/go-duration.ts";
import type { EngineLog } from "./log.ts";

export type AutoCompactionMode = "periodic" | "revision";

export type AutoCompactionOptions =
  /** History of the last `periodMs` stays. Above 0. */
  | { readonly mode: "periodic"; readonly periodMs: number }
  /** The last so many revisions stay. Above 0. */
  | { readonly mode: "revision"; readonly revisions: number };

export interface AutoCompactionHost {
  readonly clock: Clock;
  readonly log: EngineLog;
  currentRevision(): number;
  /** @throws (rejects) EtcdError COMPACTED, which is as good as done; anything else is tried again */
  compact(revision: number): Promise<void>;
}

const HOUR_MS = 3_600_000;
const SAMPLES_PER_PERIOD = 10;
const REVISION_INTERVAL_MS = 300_000;

/**
 * What --auto-compaction-retention means: a whole number is hours, or revisions; else it is a Go duration, of which
 * mode revision takes the nanoseconds.
 * @returns undefined if it is off
 * @throws StrataError BAD_ARGUMENT in etcd's words; also below 0, with which etcd would never rest
 */
export function parseAutoCompaction(
  mode: AutoCompactionMode,
  retention: string,
): AutoCompactionOptions | undefined {
  const isWhole = /^[+]?\d+$/.test(retention);
  const periodMs = isWhole ? Number(retention) * HOUR_MS : durationOf(retention);
  if (mode === "periodic") return periodMs === 0 ? undefined : { mode, periodMs };
  const revisions = isWhole ? Number(retention) : Math.round(periodMs * 1e6);
  return revisions === 0 ? undefined : { mode, revisions };
}

function durationOf(text: string): number {
  let ms: number;
  try {
    ms = parseGoDuration(text);
  } catch (error) {
    throw refused(reasonOf(error));
  }
  if (ms < 0) throw refused(`time: invalid duration ${JSON.stringify(text)}`);
  return ms;
}

function refused(reason: string): StrataError {
  return new StrataError("BAD_ARGUMENT", `error parsing CompactionRetention: ${reason}`);
}

/** Compacts until it is told to stop. Never rejects: a compaction that fails is logged, and tried again at its next look. */
export function runAutoCompaction(
  options: AutoCompactionOptions,
  host: AutoCompactionHost,
  signal: AbortSignal,
): Promise<void> {
  return options.mode === "periodic"
    ? runPeriodic(options.periodMs, host, signal)
    : runByRevision(options.revisions, host, signal);
}

async function runPeriodic(
  periodMs: number,
  host: AutoCompactionHost,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = host;
  const intervalMs = Math.min(periodMs, HOUR_MS);
  const sampleMs = intervalMs / SAMPLES_PER_PERIOD;
  const samplesMax = Math.floor(periodMs / sampleMs) + 1;
  const samples: number[] = [];
  const attempt = new Attempts("periodic", host, {
    fields: { "compact-period": formatGoDuration(periodMs) },
    retryMs: sampleMs,
  });
  let lastRevision = 0;
  let lastMs = clock.nowMs();
  let waitMs = periodMs;
  for (;;) {
    samples.push(host.currentRevision());
    if (samples.length > samplesMax) samples.shift();
    await clock.sleep(sampleMs, signal);
    if (signal.aborted) return;
    const revision = samples[0] as number;
    // A timer may be a little early by this clock; half a sample is nearer to this look than to the next.
    const isTime = clock.nowMs() - lastMs + sampleMs / 2 >= waitMs;
    if (!isTime || revision === lastRevision) continue;
    waitMs = intervalMs;
    if (!(await attempt.compact(revision, signal))) continue;
    lastRevision = revision;
    lastMs = clock.nowMs();
  }
}

async function runByRevision(
  revisions: number,
  host: AutoCompactionHost,
  signal: AbortSignal,
): Promise<void> {
  const attempt = new Attempts("revision", host, {
    fields: { "revision-compaction-retention": revisions },
    retryMs: REVISION_INTERVAL_MS,
  });
  let lastRevision = 0;
  for (;;) {
    await host.clock.sleep(REVISION_INTERVAL_MS, signal);
    if (signal.aborted) return;
    const revision = host.currentRevision() - revisions;
    if (revision <= 0 || revision === lastRevision) continue;
    if (await attempt.compact(revision, signal)) lastRevision = revision;
  }
}

interface AttemptsAbout {
  readonly fields: Readonly<Record<string, string | number>>;
  readonly retryMs: number;
}

/** One compaction, with etcd's lines around it. */
class Attempts {
  readonly #mode: AutoCompactionMode;
  readonly #host: AutoCompactionHost;
  readonly #about: AttemptsAbout;

  constructor(mode: AutoCompactionMode, host: AutoCompactionHost, about: AttemptsAbout) {
    this.#mode = mode;
    this.#host = host;
    this.#about = about;
  }

  /** @returns whether it was compacted; never throws */
  async compact(revision: number, signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#host;
    const fields = { revision, ...this.#about.fields };
    const line = (verb: string): string => `${verb} auto ${this.#mode} compaction`;
    log({ level: "info", message: line("starting"), fields });
    const beganMs = clock.nowMs();
    try {
      await this.#host.compact(revision);
    } catch (error) {
      if (!(error instanceof EtcdError && error.code === "COMPACTED")) {
        if (signal.aborted) return false;
        const retry = formatGoDuration(this.#about.retryMs);
        log({
          level: "warn",
          message: line("failed"),
          fields: { ...fields, "retry-interval": retry, error: reasonOf(error) },
        });
        return false;
      }
    }
    const took = formatGoDuration(clock.nowMs() - beganMs);
    log({ level: "info", message: line("completed"), fields: { ...fields, took } });
    return true;
  }
}
