/**
 * Defragments by itself, as --auto-defrag says: once a second the rule is held against the sizes of the database, and
 * where it holds the file is written anew, unless
 *
 * - it is one of the quiet hours. They keep one from beginning, no more: one that runs into them comes to its end, for
 *   what it has copied would have been copied in vain;
 * - the last one ended less than the minimum interval ago. A restart forgets when that was;
 * - a compaction is under way, which would free more, or a defragmentation that somebody asked for;
 * - an attempt failed, or found nothing to gain, a short while ago: from a minute on, and twice as long each time, up
 *   to an hour.
 *
 * Each run, and each reason not to run, is one line in the log; a reason that lasts is told once.
 */
import type { Clock } from "../base/clock.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import { formatGoDuration } from "../base/go-duration.ts";
import type { AutoDefragCounts, AutoDefragOutcome } from "./auto-defrag-counts.ts";
import { holds } from "./defrag-rule/evaluate.ts";
import type { Condition, Sizes } from "./defrag-rule/expression.ts";
import { parseDefragRule } from "./defrag-rule/parse.ts";
import type { DefragOptions, DefragReport } from "./defragmentation.ts";
import type { EngineLog } from "./log.ts";
import { QuietHours } from "./quiet-hours.ts";

/** As the flags say it. */
export interface AutoDefragWish {
  /** As in `dbSizeFree > 200MiB && dbQuotaUsage > 0.5`. Empty, or `off`: never. */
  readonly rule: string;
  /** As in `08:00-18:00,22:00-06:00 Europe/Berlin`; without a zone in the machine's. Default: none. */
  readonly quietHours?: string | undefined;
  /** From the end of one to the beginning of the next. Default: an hour. */
  readonly minIntervalMs?: number | undefined;
  /** Of the copying; 0: as fast as it goes. Default: 32 MiB. */
  readonly rateBytesPerSecond?: number | undefined;
}

export interface AutoDefragOptions {
  readonly rule: { readonly text: string; readonly condition: Condition };
  readonly quietHours: QuietHours | undefined;
  readonly minIntervalMs: number;
  readonly rateBytesPerSecond: number;
}

/** Nobody waits for it, and a cheap card writes no faster. */
const RATE_BYTES_PER_SECOND = 32 * 1024 ** 2;

const HOUR_MS = 3_600_000;

/** @returns undefined if it is off. @throws StrataError BAD_ARGUMENT, for the rule with its column */
export function parseAutoDefrag(wish: AutoDefragWish): AutoDefragOptions | undefined {
  const { rule, minIntervalMs = HOUR_MS, rateBytesPerSecond = RATE_BYTES_PER_SECOND } = wish;
  const quietHours = QuietHours.parse(wish.quietHours ?? "");
  if (!(minIntervalMs >= 0 && rateBytesPerSecond >= 0)) {
    const what = `autoDefrag: minIntervalMs ${minIntervalMs} or rateBytesPerSecond ${rateBytesPerSecond} is no number from 0 on`;
    throw new StrataError("BAD_ARGUMENT", what);
  }
  if (["", "off"].includes(rule.trim())) return undefined;
  const condition = parseDefragRule(rule);
  return { rule: { text: rule, condition }, quietHours, minIntervalMs, rateBytesPerSecond };
}

/** What is in force may be changed while it runs: it counts from the next look on. */
export interface AutoDefragSettings {
  /** Undefined: off. */
  current: AutoDefragOptions | undefined;
}

export interface AutoDefragHost {
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly counts: AutoDefragCounts;
  /** The time of the day, for quiet hours. */
  now(): Date;
  sizes(): Sizes;
  /** Nothing else is under way that it should wait for, and the store can be written. */
  isReady(): boolean;
  /** @throws (rejects) StrataError NO_DISK, CANCELED, others */
  defragment(options: DefragOptions): Promise<DefragReport>;
}

/** A look is a few comparisons of numbers that are at hand. */
const LOOK_MS = 1000;

const BACK_OFF_MIN_MS = 60_000;
const BACK_OFF_MAX_MS = HOUR_MS;

/** Looks until it is told to stop. Never rejects. */
export async function runAutoDefrag(
  settings: AutoDefragSettings,
  host: AutoDefragHost,
  signal: AbortSignal,
): Promise<void> {
  const attempts = new Attempts(host, signal);
  for (;;) {
    await host.clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    if (settings.current !== undefined) await attempts.look(settings.current);
  }
}

type Fields = Readonly<Record<string, string | number>>;

interface Wait {
  readonly why: AutoDefragOutcome;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
}

class Attempts {
  readonly #host: AutoDefragHost;
  readonly #signal: AbortSignal;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #backOffMs = BACK_OFF_MIN_MS;
  /** What the log has been told of, and still holds. */
  #toldWait: AutoDefragOutcome | undefined;
  #toldFailure: Failure | undefined;

  constructor(host: AutoDefragHost, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
  }

  /** Never throws. */
  async look(options: AutoDefragOptions): Promise<void> {
    const { clock } = this.#host;
    const wait = this.#waitOf(options);
    if (this.#toldWait !== wait?.why) this.#toldWait = undefined;
    const sizes = this.#host.sizes();
    const isBackingOff = clock.nowMs() < this.#notBeforeMs;
    if (!holds(options.rule.condition, sizes)) {
      if (!isBackingOff) this.#forgetFailures();
      return;
    }
    if (isBackingOff || !this.#host.isReady()) return;
    if (wait === undefined) await this.#run(options, sizes);
    else if (this.#toldWait === undefined) {
      this.#toldWait = wait.why;
      const fields = { ...about(options, sizes), ...wait.fields };
      this.#tell("info", wait.why, `auto-defrag waits: ${wait.text}`, fields);
    }
  }

  #forgetFailures(): void {
    this.#backOffMs = BACK_OFF_MIN_MS;
    this.#toldFailure = undefined;
  }

  #waitOf({ quietHours, minIntervalMs }: AutoDefragOptions): Wait | undefined {
    const { clock } = this.#host;
    if (quietHours?.includes(this.#host.now()) === true) {
      const fields = { "quiet-hours": quietHours.text };
      return { why: "quiet-hours", text: "it is one of the quiet hours", fields };
    }
    const leftMs = this.#lastEndMs + minIntervalMs - clock.nowMs();
    if (leftMs <= 0) return undefined;
    const fields = {
      "min-interval": formatGoDuration(minIntervalMs),
      left: formatGoDuration(Math.ceil(leftMs / 1000) * 1000),
    };
    return { why: "min-interval", text: "the last one was a short while ago", fields };
  }

  async #run(options: AutoDefragOptions, sizes: Sizes): Promise<void> {
    const { clock } = this.#host;
    const { rule, rateBytesPerSecond } = options;
    const fields = about(options, sizes);
    let report: DefragReport;
    try {
      report = await this.#host.defragment({
        about: `auto-defrag: ${rule.text}`,
        quiet: true,
        ...(rateBytesPerSecond > 0 && { rateBytesPerSecond }),
        signal: this.#signal,
      });
    } catch (error) {
      if (this.#signal.aborted) return;
      const code = error instanceof StrataError ? error.code : undefined;
      // Whoever cancelled it does not want the next one at once.
      if (code === "CANCELED") this.#lastEndMs = clock.nowMs();
      return this.#failed(FAILURES.get(code ?? "") ?? FAILED, reasonOf(error), fields);
    }
    if (report.outcome === "refused") {
      return this.#failed(NO_GAIN, report.reason ?? "", fields);
    }
    this.#lastEndMs = clock.nowMs();
    this.#forgetFailures();
    const { sizeAfterBytes, tookMs, longestPauseMs, rounds } = report;
    this.#tell("info", "done", "auto-defrag: defragmented", {
      ...fields,
      sizeAfterBytes,
      tookMs: Math.round(tookMs),
      longestPauseMs: Math.round(longestPauseMs),
      rounds,
    });
  }

  /** Told once until it goes well, or otherwise wrong. */
  #failed(failure: Failure, reason: string, about: Fields): void {
    const { counts, clock } = this.#host;
    const { outcome, level, text } = failure;
    const retry = formatGoDuration(this.#backOffMs);
    this.#notBeforeMs = clock.nowMs() + this.#backOffMs;
    this.#backOffMs = Math.min(2 * this.#backOffMs, BACK_OFF_MAX_MS);
    if (this.#toldFailure === failure) counts.add(outcome);
    else {
      const fields = { ...about, reason, "retry-interval": retry };
      this.#tell(level, outcome, `auto-defrag: ${text}`, fields);
    }
    this.#toldFailure = failure;
  }

  #tell(level: "info" | "warn", outcome: AutoDefragOutcome, message: string, fields: Fields): void {
    this.#host.counts.add(outcome);
    this.#host.log({ level, message, fields });
  }
}

interface Failure {
  readonly outcome: AutoDefragOutcome;
  readonly level: "info" | "warn";
  readonly text: string;
}

const NO_GAIN: Failure = { outcome: "no-gain", level: "info", text: "nothing would be gained" };
const FAILED: Failure = { outcome: "failed", level: "warn", text: "failed" };

const FAILURES: ReadonlyMap<string, Failure> = new Map([
  ["CANCELED", { outcome: "cancelled", level: "info", text: "was cancelled" }],
  ["NO_DISK", { outcome: "no-disk", level: "warn", text: "the disk has not enough room for it" }],
  ["NO_GAIN", NO_GAIN],
]);

function about({ rule }: AutoDefragOptions, { dbSize, dbSizeInUse }: Sizes): Fields {
  return { rule: rule.text, sizeBytes: dbSize, inUseBytes: dbSizeInUse };
}
