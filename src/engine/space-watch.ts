/**
 * Warns before the quota is reached: once when a share of it is passed, and again now and then as long as that is so,
 * with when it will be full if it goes on as in the last minutes. And looks whether an alarm may go: after a restart, and
 * where a reader has ended, nothing is committed that would have somebody look.
 */
import type { Clock } from "../base/clock.ts";
import type { EngineLog } from "./log.ts";

export interface SpaceWatchHost {
  readonly clock: Clock;
  readonly log: EngineLog;
  /** A share of the quota; 0: nobody is to be warned. Looked at each time. */
  softLimit(): number;
  /** What counts against the quota, and the quota: Infinity, if there is none. */
  space(): { readonly usedBytes: number; readonly quotaBytes: number };
  /** There may be room again. */
  lookAgain(): void;
  /** What was found last; undefined while nobody looks. */
  found(state: SpaceForecast | undefined): void;
}

export interface SpaceForecast {
  readonly isAboveSoftLimit: boolean;
  /** Until it is full, at the rate of the last minutes; Infinity: it is not growing; undefined: not known yet. */
  readonly fullInMs: number | undefined;
}

const LOOK_MS = 10_000;

/** The rate is that of so long, and not told before there are so many looks. */
const WINDOW_MS = 300_000;
const LOOKS_MIN = 4;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Between two warnings; sooner if it will be full within the hour. */
const REMINDER_MS: number = 6 * HOUR_MS;
const URGENT_REMINDER_MS: number = 10 * MINUTE_MS;

/** It is below the limit again when it is this share of the quota below it. */
const RELIEF = 0.02;

interface Look {
  readonly atMs: number;
  readonly usedBytes: number;
}

/** Until it is told to stop. Never rejects. */
export async function runSpaceWatch(host: SpaceWatchHost, signal: AbortSignal): Promise<void> {
  const watch = new SpaceWatch(host);
  while (!signal.aborted) {
    watch.look();
    await host.clock.sleep(LOOK_MS, signal);
    if (!signal.aborted) host.lookAgain();
  }
}

class SpaceWatch {
  readonly #host: SpaceWatchHost;
  #looks: Look[] = [];
  #quotaBytes = 0;
  #isAbove = false;
  /** Since the limit was passed. */
  #warnedMs: number | undefined;

  constructor(host: SpaceWatchHost) {
    this.#host = host;
  }

  look(): void {
    const { clock, softLimit, space, found } = this.#host;
    const limit = softLimit();
    const { usedBytes, quotaBytes } = space();
    if (limit === 0 || !Number.isFinite(quotaBytes)) {
      this.#looks = [];
      this.#isAbove = false;
      this.#warnedMs = undefined;
      found(undefined);
      return;
    }
    if (quotaBytes !== this.#quotaBytes) this.#warnedMs = undefined;
    this.#quotaBytes = quotaBytes;
    const atMs = clock.nowMs();
    this.#looks.push({ atMs, usedBytes });
    while ((this.#looks[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#looks.shift();
    const fullInMs = this.#fullInMs(usedBytes, quotaBytes);
    const share = usedBytes / quotaBytes;
    if (share >= limit) this.#isAbove = true;
    else if (this.#isAbove && share < limit - RELIEF) this.#below(share, limit);
    found({ isAboveSoftLimit: this.#isAbove, fullInMs });
    if (share >= limit && fullInMs !== undefined) this.#warn(atMs, usedBytes, limit, fullInMs);
  }

  #fullInMs(usedBytes: number, quotaBytes: number): number | undefined {
    const [first] = this.#looks;
    const last = this.#looks.at(-1);
    if (first === undefined || last === undefined || this.#looks.length < LOOKS_MIN)
      return undefined;
    const grown = last.usedBytes - first.usedBytes;
    if (usedBytes >= quotaBytes) return 0;
    if (grown <= 0) return Number.POSITIVE_INFINITY;
    return ((quotaBytes - usedBytes) * (last.atMs - first.atMs)) / grown;
  }

  #warn(atMs: number, usedBytes: number, limit: number, fullInMs: number): void {
    const everyMs = fullInMs < HOUR_MS ? URGENT_REMINDER_MS : REMINDER_MS;
    if (this.#warnedMs !== undefined && atMs - this.#warnedMs < everyMs) return;
    this.#warnedMs = atMs;
    this.#host.log({
      level: "warn",
      message: `the database has passed the soft limit of its quota: ${forecastText(fullInMs)}`,
      fields: {
        "used-bytes": usedBytes,
        "quota-bytes": this.#quotaBytes,
        "soft-limit": limit,
        share: rounded(usedBytes / this.#quotaBytes),
      },
    });
  }

  #below(share: number, limit: number): void {
    this.#isAbove = false;
    if (this.#warnedMs === undefined) return;
    this.#warnedMs = undefined;
    this.#host.log({
      level: "info",
      message: "the database is below the soft limit of its quota again",
      fields: { "quota-bytes": this.#quotaBytes, "soft-limit": limit, share: rounded(share) },
    });
  }
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}

/** `full in ~3 h at the present rate`. @param fullInMs  Infinity: it is not growing; 0: it is */
export function forecastText(fullInMs: number): string {
  if (fullInMs === 0) return "it is full";
  const about = (value: number, unit: string): string =>
    `full in ~${Math.round(value)} ${unit} at the present rate`;
  if (fullInMs < 1.5 * MINUTE_MS) return "full in about a minute at the present rate";
  if (fullInMs < 90 * MINUTE_MS) return about(fullInMs / MINUTE_MS, "min");
  if (fullInMs < 48 * HOUR_MS) return about(fullInMs / HOUR_MS, "h");
  if (fullInMs < 365 * 24 * HOUR_MS) return about(fullInMs / (24 * HOUR_MS), "days");
  return "it is not growing";
}
