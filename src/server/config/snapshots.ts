/** How long snapshots may be sent, and which the server takes by itself. */
import { resolve } from "node:path";
import type { ScheduledSnapshotsOptions } from "../../engine/scheduled-snapshots.ts";
import { ConfigError, type Settings } from "./settings.ts";

/** @returns 0: for ever. @throws ConfigError */
export function snapshotMaxMsOf(settings: Settings): number {
  const ms = settings.number("snapshot-max-duration");
  if (ms < 0) throw new ConfigError("--snapshot-max-duration must be >=0");
  return ms;
}

/** @returns undefined: none. @throws ConfigError */
export function scheduledSnapshotsOf(settings: Settings): ScheduledSnapshotsOptions | undefined {
  const dir = settings.text("snapshot-dir");
  const intervalMs = settings.number("snapshot-interval");
  const keep = settings.number("snapshot-keep");
  if (intervalMs <= 0) throw new ConfigError("--snapshot-interval must be >0");
  if (keep < 1) throw new ConfigError("--snapshot-keep must be >=1");
  return dir === "" ? undefined : { dir: resolve(dir), intervalMs, keep };
}
