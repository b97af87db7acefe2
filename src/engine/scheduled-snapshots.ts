/**
 * Snapshots that a member takes by itself, into a folder of the same machine: every so often one is saved, verified,
 * and only then the oldest are removed, so that there are never fewer good ones than before.
 *
 * What is under a name of ours is whole, durable and verified: it was written, synced and read under another. One that
 * is found to be damaged is set aside as `.corrupt`, for whoever has to find out why, and never counts. Files of other
 * names are left alone.
 *
 * The first one after a start is taken when the newest that is there has become an interval old; none is taken while
 * nothing was logged since the last: then that one is as good.
 */
import type { Clock } from "../base/clock.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import { formatGoDuration } from "../base/go-duration.ts";
import { unfinishedName } from "../jobs/whole-file.ts";
import type { EngineLog } from "./log.ts";
import type {
  ScheduledSnapshotCounts,
  ScheduledSnapshotOutcome,
} from "./scheduled-snapshot-counts.ts";
import { readSnapshotName, type SnapshotName, snapshotName } from "./snapshot-names.ts";
import type { SavedSnapshot } from "./snapshots.ts";

export interface ScheduledSnapshotsOptions {
  /** Made if it is not there. On the same disk as the data dir they help against mistakes, not against its loss. */
  readonly dir: string;
  /** Above 0. */
  readonly intervalMs: number;
  /** 1 or more: the newest that stay. */
  readonly keep: number;
}

export interface ScheduledSnapshotsWish {
  readonly dir: string;
  /** Default: 12 hours. */
  readonly intervalMs?: number | undefined;
  /** Default: 5. */
  readonly keep?: number | undefined;
}

/** What a folder of snapshots is to those who look after it. */
export interface SnapshotFolder {
  readonly path: string;
  list(): string[];
  rename(from: string, to: string): void;
  sync(): void;
  /** What may still be written to its disk. */
  freeBytes(): number;
}

export interface ScheduledSnapshotsHost {
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly counts: ScheduledSnapshotCounts;
  /** The time of the day, for names. */
  now(): Date;
  /** Grows with whatever is logged. */
  logIndex(): number;
  /** What a snapshot takes, about. */
  sizeBytes(): number;
  /** Makes it, if it is not there. @throws the system's errors */
  folder(path: string): SnapshotFolder;
  /** Wholly or not at all. @throws (rejects) as Maintenance.saveSnapshot */
  save(folder: SnapshotFolder, name: string, signal: AbortSignal): Promise<SavedSnapshot>;
  /** Reads all of it. @throws (rejects) CorruptionError, StrataError CORRUPT: it is damaged. Others: it cannot be told */
  verify(folder: SnapshotFolder, name: string, signal: AbortSignal): Promise<SavedSnapshot>;
  /** @throws (rejects) the system's errors */
  remove(folder: SnapshotFolder, names: readonly string[]): Promise<void>;
}

export const SNAPSHOT_INTERVAL_MS: number = 12 * 3_600_000;
export const SNAPSHOTS_KEPT = 5;

/** Two segments of the log: snapshots must not take the room that the member itself needs. */
const RESERVE_BYTES = 128 * 1024 * 1024;

const RETRY_MIN_MS = 60_000;
const RETRY_MAX_MS = 3_600_000;

/** Saved and not verified yet. */
const UNVERIFIED = ".new";
const CORRUPT = ".corrupt";

/** @throws StrataError BAD_ARGUMENT */
export function scheduledSnapshotsOf(wish: ScheduledSnapshotsWish): ScheduledSnapshotsOptions {
  const { dir, intervalMs = SNAPSHOT_INTERVAL_MS, keep = SNAPSHOTS_KEPT } = wish;
  if (dir === "") throw new StrataError("BAD_ARGUMENT", "snapshots: dir is empty");
  if (!(intervalMs > 0)) {
    throw new StrataError("BAD_ARGUMENT", `snapshots: intervalMs: ${intervalMs} is not above 0`);
  }
  if (!Number.isInteger(keep) || keep < 1) {
    throw new StrataError("BAD_ARGUMENT", `snapshots: keep: ${keep} is not a whole number above 0`);
  }
  return { dir, intervalMs, keep };
}

/** Takes them until it is told to stop. Never rejects: what fails is logged, and tried again. */
export async function runScheduledSnapshots(
  options: ScheduledSnapshotsOptions,
  host: ScheduledSnapshotsHost,
  signal: AbortSignal,
): Promise<void> {
  const schedule = new Schedule(options, host, signal);
  while (!signal.aborted) {
    const waitMs = await schedule.look();
    await host.clock.sleep(waitMs, signal);
  }
}

type Fields = Readonly<Record<string, string | number>>;

class Schedule {
  readonly #options: ScheduledSnapshotsOptions;
  readonly #host: ScheduledSnapshotsHost;
  readonly #signal: AbortSignal;
  #folder: SnapshotFolder | undefined;
  #retryMs = RETRY_MIN_MS;
  /** What the log was told of last, and still holds. */
  #told = "";
  /** Of the last snapshot of this run; -1: there was none. */
  #savedIndex = -1;

  constructor(
    options: ScheduledSnapshotsOptions,
    host: ScheduledSnapshotsHost,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#host = host;
    this.#signal = signal;
  }

  /** Takes one, if it is time. @returns when to look again: in so many milliseconds. Never throws */
  async look(): Promise<number> {
    const { intervalMs } = this.#options;
    try {
      const folder = this.#folder ?? (await this.#open());
      const leftMs = this.#leftMs(folder);
      if (leftMs > 0) return leftMs;
      const index = this.#host.logIndex();
      if (index === this.#savedIndex) {
        this.#host.counts.add("unchanged");
        return intervalMs;
      }
      if (!this.#hasRoom(folder)) return this.#later();
      const beganMs = this.#host.clock.nowMs();
      await this.#take(folder, index);
      this.#retryMs = RETRY_MIN_MS;
      this.#told = "";
      return Math.max(0, beganMs + intervalMs - this.#host.clock.nowMs());
    } catch (error) {
      if (this.#signal.aborted) return 0;
      this.#failed(
        isDamage(error) ? "corrupt" : "failed",
        "error",
        isDamage(error) ? "a scheduled snapshot is damaged" : "a scheduled snapshot failed",
        { dir: this.#options.dir, reason: reasonOf(error) },
      );
      return this.#later();
    }
  }

  /** Clears away what a run that was killed has left. */
  async #open(): Promise<SnapshotFolder> {
    const folder = this.#host.folder(this.#options.dir);
    const leftovers = folder.list().filter((name) => isUnfinished(name));
    await this.#host.remove(folder, leftovers);
    const newest = snapshotsIn(folder).at(-1);
    if (newest !== undefined) {
      const { takenMs } = newest;
      this.#host.counts.last ??= { takenMs, sizeBytes: undefined, tookMs: undefined };
    }
    this.#folder = folder;
    return folder;
  }

  /** Until the next one is due. */
  #leftMs(folder: SnapshotFolder): number {
    const { intervalMs } = this.#options;
    const nowMs = this.#host.now().getTime();
    const newestMs = snapshotsIn(folder).at(-1)?.takenMs ?? Number.NEGATIVE_INFINITY;
    // One of the future: the time of the day was set back, and nobody knows how old it is.
    return newestMs > nowMs ? 0 : newestMs + intervalMs - nowMs;
  }

  #hasRoom(folder: SnapshotFolder): boolean {
    const neededBytes = this.#host.sizeBytes() + RESERVE_BYTES;
    const freeBytes = folder.freeBytes();
    if (freeBytes >= neededBytes) return true;
    this.#failed("no-room", "warn", "no scheduled snapshot: the disk has not enough room", {
      dir: folder.path,
      neededBytes,
      freeBytes,
    });
    return false;
  }

  /** @throws (rejects) as `save` and `verify` */
  async #take(folder: SnapshotFolder, index: number): Promise<void> {
    const { clock, counts, log } = this.#host;
    const taken = this.#host.now();
    const beganMs = clock.nowMs();
    // Which revision it will be of is known when it is there.
    const unverified = `${snapshotName(taken, 0n)}${UNVERIFIED}`;
    const saved = await this.#host.save(folder, unverified, this.#signal);
    const { sizeBytes, revision } = saved;
    const savedMs = clock.nowMs();
    const name = snapshotName(taken, revision);
    await this.#verify(folder, unverified, name, saved);
    folder.rename(unverified, name);
    folder.sync();
    const removed = await this.#removeOldest(folder, name);
    const tookMs = Math.round(clock.nowMs() - beganMs);
    this.#savedIndex = index;
    counts.add("saved");
    counts.last = { takenMs: taken.getTime(), sizeBytes, tookMs };
    log({
      level: "info",
      message: "saved and verified a scheduled snapshot",
      fields: {
        path: `${folder.path}/${name}`,
        revision: Number(revision),
        sizeBytes,
        savedMs: Math.round(savedMs - beganMs),
        tookMs,
        removed,
      },
    });
  }

  async #verify(
    folder: SnapshotFolder,
    unverified: string,
    name: string,
    saved: SavedSnapshot,
  ): Promise<void> {
    try {
      const found = await this.#host.verify(folder, unverified, this.#signal);
      if (found.revision !== saved.revision || found.sizeBytes !== saved.sizeBytes) {
        const what = `saved revision ${saved.revision} in ${saved.sizeBytes} bytes, found ${found.revision} in ${found.sizeBytes}`;
        throw new StrataError("CORRUPT", what);
      }
    } catch (error) {
      if (isDamage(error)) await this.#setAside(folder, unverified, name);
      else await this.#host.remove(folder, [unverified]);
      throw error;
    }
  }

  /** The last one that was damaged stays, to be looked at. */
  async #setAside(folder: SnapshotFolder, unverified: string, name: string): Promise<void> {
    const older = folder.list().filter((each) => isCorruptName(each));
    folder.rename(unverified, `${name}${CORRUPT}`);
    folder.sync();
    await this.#host.remove(folder, older);
  }

  /** @param saved  stays in any case: the others may be of a time of the day that was set back since. @returns how many */
  async #removeOldest(folder: SnapshotFolder, saved: string): Promise<number> {
    const names = snapshotsIn(folder)
      .slice(0, -this.#options.keep)
      .map(({ name }) => name)
      .filter((name) => name !== saved);
    if (names.length > 0) await this.#host.remove(folder, names);
    return names.length;
  }

  #later(): number {
    const waitMs = Math.min(this.#retryMs, this.#options.intervalMs);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
    return waitMs;
  }

  /** Told once, until it goes well or otherwise wrong. */
  #failed(
    outcome: ScheduledSnapshotOutcome,
    level: "warn" | "error",
    message: string,
    fields: Fields,
  ): void {
    const { counts, log } = this.#host;
    counts.add(outcome);
    const what = `${outcome} ${fields.reason ?? ""}`;
    if (this.#told === what) return;
    this.#told = what;
    const retry = formatGoDuration(Math.min(this.#retryMs, this.#options.intervalMs));
    log({ level, message, fields: { ...fields, "retry-interval": retry } });
  }
}

/** Oldest first. */
function snapshotsIn(folder: SnapshotFolder): SnapshotName[] {
  const found: SnapshotName[] = [];
  for (const name of folder.list()) {
    const snapshot = readSnapshotName(name);
    if (snapshot !== undefined) found.push(snapshot);
  }
  return found;
}

/** Being written, not verified, or half removed. */
function isUnfinished(name: string): boolean {
  const whole = without(name, unfinishedName(""));
  const verified = without(whole, UNVERIFIED);
  return verified !== name && readSnapshotName(verified) !== undefined;
}

function without(name: string, end: string): string {
  return name.endsWith(end) ? name.slice(0, -end.length) : name;
}

function isDamage(error: unknown): boolean {
  return error instanceof StrataError && error.code === "CORRUPT";
}

function isCorruptName(name: string): boolean {
  return name.endsWith(CORRUPT) && readSnapshotName(name.slice(0, -CORRUPT.length)) !== undefined;
}
