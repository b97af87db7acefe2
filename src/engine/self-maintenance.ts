/**
 * What a running member does by itself, without being asked: each part of it is started here, and nowhere else, for a
 * server and for a store in the process alike.
 */
import { type AutoCompactionOptions, runAutoCompaction } from "./auto-compaction.ts";
import {
  type AutoDefragHost,
  type AutoDefragSettings,
  type AutoDefragWish,
  parseAutoDefrag,
  runAutoDefrag,
} from "./auto-defrag.ts";
import type { Sizes } from "./defrag-rule/expression.ts";
import type { EngineLog } from "./log.ts";
import type { Member } from "./member.ts";
import { runScheduledSnapshots, type ScheduledSnapshotsOptions } from "./scheduled-snapshots.ts";
import { scheduledSnapshotsHost } from "./scheduled-snapshots-host.ts";
import { runSpaceWatch, type SpaceForecast } from "./space-watch.ts";

export interface SelfMaintenanceOptions {
  /** Undefined: off. */
  readonly autoCompaction: AutoCompactionOptions | undefined;
  readonly autoDefrag: AutoDefragSettings;
  /** Undefined: none are taken. */
  readonly snapshots?: ScheduledSnapshotsOptions | undefined;
}

/** What is wanted of it: `false` for a part that is not, undefined for one as it is by default. */
export interface SelfMaintain {
  /** Default: history of the last hour stays. */
  readonly autoCompaction?: AutoCompactionOptions | false | undefined;
  /** Default: the rule is SELF_MAINTAIN_DEFRAG_RULE. */
  readonly autoDefrag?: AutoDefragWish | false | undefined;
}

/** Watches and reads that are behind have an hour to come back, or two; and so does whoever looks for what was. */
export const SELF_MAINTAIN_RETENTION = "1h";

const HOUR_MS = 3_600_000;

/**
 * More than half of the file and 64 MiB, the size of one segment of the log; or what keeps a file near its quota.
 *
 * More than half: each byte that is written gives one back at least. And it does not take what steady writing will have
 * used again within the hour: between two compactions an hour of history becomes two, so that a compaction frees less
 * than half of the file.
 *
 * Near the quota: monitoring looks at the size of the file, and with --quota-mode=size the next put may be refused.
 */
export const SELF_MAINTAIN_DEFRAG_RULE =
  "dbSizeFree > 64MiB && dbSizeFree > dbSize / 2 || dbQuotaUsage > 0.8 && dbSizeFree > dbQuota / 5";

/** Warned of from here on: with a fifth left there is time to do something about it. */
export const SELF_MAINTAIN_SOFT_LIMIT = 0.8;

/**
 * @param wanted  true: all of it, by default; false: none
 * @throws StrataError BAD_ARGUMENT
 */
export function selfMaintenanceOf(wanted: boolean | SelfMaintain): SelfMaintenanceOptions {
  if (wanted === false) return { autoCompaction: undefined, autoDefrag: { current: undefined } };
  const parts = wanted === true ? {} : wanted;
  const compaction = parts.autoCompaction ?? { mode: "periodic", periodMs: HOUR_MS };
  const defrag = parts.autoDefrag ?? { rule: SELF_MAINTAIN_DEFRAG_RULE };
  return {
    autoCompaction: compaction === false ? undefined : compaction,
    autoDefrag: { current: defrag === false ? undefined : parseAutoDefrag(defrag) },
  };
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
    lookAgain: (): void => space.lookAgain(),
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
  const { maintenance } = member;
  const host: AutoDefragHost = {
    clock,
    log: log("auto-defrag"),
    counts: maintenance.autoDefragCounts,
    now: () => new Date(),
    sizes: () => sizesOf(member),
    isReady: () => isReadyToDefrag(member),
    defragment: (about) => maintenance.defragment(about),
  };
  running.push(runAutoDefrag(options.autoDefrag, host, stopped));
  if (options.snapshots !== undefined) {
    const snapshotHost = scheduledSnapshotsHost(member, log("scheduled-snapshots"));
    running.push(runScheduledSnapshots(options.snapshots, snapshotHost, stopped));
  }
  await Promise.all(running);
}

/** What is kept for readers of old commits counts as free: a defragmentation leaves it behind. */
function sizesOf({ backend, quota }: Member): Sizes {
  const { sizeBytes, reusableBytes, pinnedBytes } = backend.space;
  const dbSizeFree = reusableBytes + pinnedBytes;
  return {
    dbSize: sizeBytes,
    dbSizeInUse: sizeBytes - dbSizeFree,
    dbSizeFree,
    dbQuota: quota.bytes,
    dbQuotaUsage: sizeBytes / quota.bytes,
  };
}

/** A compaction would free more, and one defragmentation at a time is enough. */
function isReadyToDefrag({ backend, jobs }: Member): boolean {
  if (backend.failure !== undefined) return false;
  return !jobs.list().some(({ kind }) => kind === "compaction" || kind === "defragmentation");
}
