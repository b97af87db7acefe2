/**
 * An end to snapshots that are taken too slowly: as long as one is under way, pages of its commit cannot be used again,
 * and the database grows by whatever is written.
 */
import type { Clock } from "../base/clock.ts";
import { StrataError } from "../base/errors.ts";
import { formatGoDuration } from "../base/go-duration.ts";
import type { EngineLog } from "./log.ts";
import type { Snapshot } from "./snapshots.ts";

export interface SnapshotLimit {
  /** Above 0. */
  readonly maxMs: number;
  /** Of whoever has set it: a flag. */
  readonly setBy: string;
}

/** Gives it up with StrataError DEADLINE when its time is over. Resolves when it has ended, in whatever way. */
export async function limitSnapshot(
  snapshot: Snapshot,
  { maxMs, setBy }: SnapshotLimit,
  clock: Clock,
  log: EngineLog,
): Promise<void> {
  const over = new AbortController();
  const ended = snapshot.ended.then(() => over.abort());
  const beganMs = clock.nowMs();
  await clock.sleep(maxMs, over.signal);
  if (!over.signal.aborted) {
    const { takenBytes, sizeBytes } = snapshot;
    const limit = formatGoDuration(maxMs);
    const what = `the snapshot was given up after ${limit} (${setBy}): ${takenBytes} of ${sizeBytes} bytes were taken`;
    log({
      level: "warn",
      message: "gave up a snapshot that was taken too slowly",
      fields: {
        "sent-bytes": takenBytes,
        "remaining-bytes": sizeBytes - takenBytes,
        "held-for": formatGoDuration(Math.round(clock.nowMs() - beganMs)),
        limit: setBy,
      },
    });
    await snapshot.giveUp(new StrataError("DEADLINE", what));
  }
  await ended;
}
