/** `--auto-compaction-retention`: whole hours or a duration, or in mode `revision` a number of revisions. */
import { durationMs } from "../../console/go-duration.ts";
import { GoSyntaxError } from "../../console/go-flag.ts";
import { ConfigError } from "./settings.ts";

export type AutoCompactionMode = "periodic" | "revision";

/**
 * @returns milliseconds or revisions; 0: never compact. In mode `revision` a duration is its nanoseconds, as in etcd.
 * @throws ConfigError
 */
export function compactionRetention(mode: AutoCompactionMode, text: string): number {
  if (/^\+?\d+$/.test(text)) {
    return mode === "revision" ? Number(text) : Number(text) * 3_600_000;
  }
  try {
    const ms = durationMs(text);
    return mode === "revision" ? Math.round(ms * 1e6) : ms;
  } catch (error) {
    if (!(error instanceof GoSyntaxError)) throw error;
    throw new ConfigError(`error parsing CompactionRetention: ${error.message}`);
  }
}
