/** What the server does by itself: as its own flags say, or else as --self-maintain implies. */
import { StrataError } from "../../base/errors.ts";
import { type AutoDefragOptions, parseAutoDefrag } from "../../engine/auto-defrag.ts";
import { QuietHours } from "../../engine/quiet-hours.ts";
import {
  SELF_MAINTAIN_DEFRAG_RULE,
  SELF_MAINTAIN_RETENTION,
  SELF_MAINTAIN_SOFT_LIMIT,
} from "../../engine/self-maintenance.ts";
import type { ServerConfig } from "./server-config.ts";
import { ConfigError, type Settings } from "./settings.ts";

const MIB = 1024 ** 2;

/** As --auto-compaction-retention. Without it, revisions are not counted: who asks for that mode says how many. */
export function retentionOf(settings: Settings): string {
  const name = "auto-compaction-retention";
  if (settings.isGiven(name) || !settings.bool("self-maintain")) return settings.text(name) || "0";
  return settings.text("auto-compaction-mode") === "periodic" ? SELF_MAINTAIN_RETENTION : "0";
}

/** How the quota is kept. */
export function quotaRulesOf(
  settings: Settings,
): Pick<ServerConfig, "quotaMode" | "quotaSoftLimit" | "autoDisarm"> {
  const isImplied = (name: string): boolean =>
    settings.bool("self-maintain") && !settings.isGiven(name);
  const isAllocatable = isImplied("quota-mode") || settings.text("quota-mode") === "allocatable";
  return {
    quotaMode: isAllocatable ? "allocatable" : "size",
    quotaSoftLimit: isImplied("quota-soft-limit")
      ? SELF_MAINTAIN_SOFT_LIMIT
      : settings.number("quota-soft-limit"),
    autoDisarm: isImplied("auto-disarm") || settings.bool("auto-disarm"),
  };
}

/** @returns undefined: off. @throws ConfigError */
export function autoDefragOf(settings: Settings): AutoDefragOptions | undefined {
  const isImplied = settings.bool("self-maintain") && !settings.isGiven("auto-defrag");
  const rule = isImplied ? SELF_MAINTAIN_DEFRAG_RULE : settings.text("auto-defrag");
  const quietHours = settings.text("auto-defrag-quiet-hours");
  const minIntervalMs = settings.number("auto-defrag-min-interval");
  const rateBytesPerSecond = settings.number("auto-defrag-rate") * MIB;
  if (minIntervalMs < 0) throw new ConfigError("--auto-defrag-min-interval must be >=0");
  inWordsOf("auto-defrag-quiet-hours", () => QuietHours.parse(quietHours));
  return inWordsOf("auto-defrag", () =>
    parseAutoDefrag({ rule, quietHours, minIntervalMs, rateBytesPerSecond }),
  );
}

function inWordsOf<T>(flag: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof StrataError) throw new ConfigError(`--${flag}: ${error.message}`);
    throw error;
  }
}
