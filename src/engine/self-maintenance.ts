/**
 * What a running member does by itself, without being asked: each part of it is started here, and nowhere else, for a
 * server and for a store in the process alike.
 */
import { type AutoCompactionOptions, runAutoCompaction } from "./auto-compaction.ts";
import type { EngineLog } from "./log.ts";
import type { Member } from "./member.ts";
import { runSpaceWatch, type SpaceForecast } from "./space-watch.ts";

/** Undefined: that part is off. */
export interface SelfMaintenanceOptions {
  readonly autoCompaction?: AutoCompactionOptions | undefined;
}

/** What is wanted of it: `false` for a part that is not, undefined for one as it is by default. */
export interface SelfMaintain {
  /** Default: history of the last hour stays. */
  readonly autoCompaction?: AutoCompactionOptions | false | undefined;
}

const HOUR_MS = 3_600_000;

const DEFAULTS: Required<SelfMaintenanceOptions> = {
  autoCompaction: { mode: "periodic", periodMs: HOUR_MS },
};

/** @param wanted  true: all of it, by default; false: none */
export function selfMaintenanceOf(wanted: boolean | SelfMaintain): SelfMaintenanceOptions {
  if (wanted === false) return {};
  const { autoCompaction } = wanted === true ? {} : wanted;
  return { autoCompaction: partOf(autoCompaction, DEFAULTS.autoCompaction) };
}

function partOf<T>(wanted: T | false | undefined, byDefault: T | undefined): T | undefined {
  if (wanted === false) return undefined;
  return wanted ?? byDefault;
}

/** By the part that speaks: its file's name. */
export type SelfMaintenanceLog = (part: string) => EngineLog;

/** Ends with `signal`, or with the member. Never rejects: every part logs what fails, and goes on. */
export async function runSelfMaintenance(
  member: Member,
  options: SelfMaintenanceOptions,
  log: SelfMaintenanceLog,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = member;
  const stopped = AbortSignal.any([member.stopped, signal]);
  const { space } = member;
  const spaceHost = {
    clock,
    log: log("space-watch"),
    softLimit: (): number => space.softLimit,
    space: () => ({ usedBytes: space.usedBytes(), quotaBytes: space.quota.bytes }),
    found: (forecast: SpaceForecast | undefined): void => {
      space.forecast = forecast;
    },
  };
  // Always: a soft limit may be set while it runs.
  const running: Promise<void>[] = [runSpaceWatch(spaceHost, stopped)];
  if (options.autoCompaction !== undefined) {
    const host = {
      clock,
      log: log("auto-compaction"),
      currentRevision: (): number => member.store.currentRevision,
      compact: (revision: number): Promise<void> =>
        member.compact({ kind: "compaction", revision, physical: false }),
    };
    running.push(runAutoCompaction(options.autoCompaction, host, stopped));
  }
  await Promise.all(running);
}
