/** What helps a database that is full: one command, for the state it is in. */
import type { Quota, SpaceUse } from "../backend/quota.ts";

export interface FullState {
  readonly quota: Quota;
  readonly use: SpaceUse;
  /** Of what was refused. */
  readonly cost: number;
  readonly isAlarmed: boolean;
  readonly currentRevision: number;
  /** Revisions that are kept, of all keys together, and those of them that are the newest of a key that is there. */
  readonly revisions: number;
  readonly liveKeys: number;
}

/** Room that is worth a command; also how much is left when an alarm is lifted. At most 4 MiB. */
export function worthwhileBytes(quota: Quota): number {
  return Math.min(quota.bytes / 16, 4 * 2 ** 20);
}

/** Of the newest root, and nothing else. */
export function liveBytes({ sizeBytes, reusableBytes, pinnedBytes }: SpaceUse): number {
  return sizeBytes - reusableBytes - pinnedBytes;
}

export function remedyOf(state: FullState): string {
  const { quota, use, cost, isAlarmed, currentRevision, revisions, liveKeys } = state;
  const live = liveBytes(use);
  const used = live + use.bufferedBytes;
  const worthwhile = worthwhileBytes(quota);
  if (isAlarmed && quota.available(use, Math.max(cost, worthwhile))) return "etcdctl alarm disarm";
  // As if all revisions were of one size.
  const history = revisions === 0 ? 0 : used * (1 - liveKeys / revisions);
  const isHistory = history >= worthwhile;
  if (quota.mode === "size") {
    const free = use.sizeBytes - live;
    const isFree = free >= worthwhile && live + cost < quota.bytes;
    if (isFree && !(isHistory && history > free)) return "etcdctl defrag";
  } else if (use.hasReaders && used + cost < quota.bytes) {
    return "end what reads an old state: strata jobs cancel";
  }
  if (isHistory) return `etcdctl compact ${currentRevision}`;
  return "delete keys and compact, or raise it: strata quota SIZE";
}
