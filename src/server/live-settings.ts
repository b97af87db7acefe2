/**
 * What a running server takes from its configuration file when it is told to read that again. Everything else waits for
 * the next start. Whoever makes another flag changeable adds it to the list.
 */
import { formatGoDuration } from "../base/go-duration.ts";
import type { AutoDefragOptions, AutoDefragSettings } from "../engine/auto-defrag.ts";
import type { Member } from "../engine/member.ts";
import type { RunInvocation } from "./config/command-line.ts";
import { SERVER_FLAGS } from "./config/flag-table.ts";
import type { LogLevel } from "./logging/logger.ts";

export interface LiveTarget {
  readonly member: Member;
  readonly autoDefrag: AutoDefragSettings;
  /** Of the log. */
  level: LogLevel;
}

export interface LiveSetting {
  readonly flag: string;
  /** Further flags that it is made of. */
  readonly with?: readonly string[];
  /** What is in force. */
  now(target: LiveTarget): string | number | boolean;
  /** What the flags were found to be good for is not refused here. */
  apply(target: LiveTarget, to: RunInvocation): void;
}

export const LIVE_SETTINGS: readonly LiveSetting[] = [
  {
    flag: "quota-backend-bytes",
    now: ({ member }) => member.space.rules.quotaBytes,
    apply: ({ member }, { config: { quotaBytes } }) => member.space.change({ quotaBytes }),
  },
  {
    flag: "quota-mode",
    now: ({ member }) => member.space.rules.quotaMode,
    apply: ({ member }, { config: { quotaMode } }) => member.space.change({ quotaMode }),
  },
  {
    flag: "quota-soft-limit",
    now: ({ member }) => member.space.softLimit,
    apply: ({ member }, { config: { quotaSoftLimit } }) => member.space.change({ quotaSoftLimit }),
  },
  {
    flag: "auto-disarm",
    now: ({ member }) => member.space.rules.autoDisarm ?? false,
    apply: ({ member }, { config: { autoDisarm } }) => member.space.change({ autoDisarm }),
  },
  {
    flag: "auto-defrag",
    with: ["auto-defrag-quiet-hours", "auto-defrag-min-interval", "auto-defrag-rate"],
    now: ({ autoDefrag: { current } }) => (current === undefined ? "off" : textOf(current)),
    apply: ({ autoDefrag }, { config }) => {
      autoDefrag.current = config.autoDefrag;
    },
  },
  {
    flag: "log-level",
    now: (target) => target.level,
    apply: (target, { log: { level } }) => {
      target.level = level;
    },
  },
];

export interface Reload {
  /** `flag: before -> now`. */
  readonly changed: readonly string[];
  /** Flags that are other than at the start, and not in force before the next. */
  readonly needRestart: readonly string[];
}

/** @param started  what the server runs with since its start */
export function applyLiveSettings(
  target: LiveTarget,
  started: RunInvocation,
  to: RunInvocation,
): Reload {
  const changed: string[] = [];
  for (const { flag, now, apply } of LIVE_SETTINGS) {
    const before = now(target);
    apply(target, to);
    const after = now(target);
    if (before !== after) changed.push(`${flag}: ${before} -> ${after}`);
  }
  const live = new Set(LIVE_SETTINGS.flatMap((one) => [one.flag, ...(one.with ?? [])]));
  const needRestart = SERVER_FLAGS.filter(
    ({ name, presentName, relevance }) =>
      presentName === undefined &&
      relevance === "works" &&
      !live.has(name) &&
      started.settings.shown(name) !== to.settings.shown(name),
  ).map(({ name }) => name);
  return { changed, needRestart };
}

function textOf({
  rule,
  quietHours,
  minIntervalMs,
  rateBytesPerSecond,
}: AutoDefragOptions): string {
  const quiet = quietHours === undefined ? "" : `, not at ${quietHours.text}`;
  const rate = rateBytesPerSecond === 0 ? "" : `, at ${rateBytesPerSecond / 2 ** 20} MiB/s`;
  return `${rule.text} (every ${formatGoDuration(minIntervalMs)} at most${rate}${quiet})`;
}
