/** When they are taken, what stays, and what is said, by a clock that is wound and a folder that is a list of names. */
import { expect, test } from "vitest";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { EngineEvent } from "./log.ts";
import { ScheduledSnapshotCounts } from "./scheduled-snapshot-counts.ts";
import {
  runScheduledSnapshots,
  type ScheduledSnapshotsHost,
  scheduledSnapshotsOf,
} from "./scheduled-snapshots.ts";
import { readSnapshotName, snapshotName } from "./snapshot-names.ts";
import type { SavedSnapshot } from "./snapshots.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const SIZE_BYTES = 1000;

class Rig {
  readonly clock = new ManualClock(START_MS);
  readonly events: EngineEvent[] = [];
  readonly counts = new ScheduledSnapshotCounts();
  files: string[] = [];
  index = 1;
  freeBytes = 2 ** 40;
  /** What the next saving or verifying ends with. */
  saveError: Error | undefined;
  verifyError: Error | undefined;
  /** How far the time of the day is from the clock. */
  offMs = 0;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  start(keep = 2): void {
    const options = scheduledSnapshotsOf({ dir: "/backups", intervalMs: HOUR_MS, keep });
    this.#running = runScheduledSnapshots(options, this.#host(), this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  count(outcome: Parameters<ScheduledSnapshotCounts["add"]>[0]): number | undefined {
    return this.counts.byOutcome.get(outcome);
  }

  get messages(): string[] {
    return this.events.map(({ level, message }) => `${level}: ${message}`);
  }

  #host(): ScheduledSnapshotsHost {
    const saved = (): SavedSnapshot => ({ sizeBytes: SIZE_BYTES, revision: BigInt(this.index) });
    return {
      clock: this.clock,
      log: (event) => this.events.push(event),
      counts: this.counts,
      now: () => new Date(this.clock.nowMs() + this.offMs),
      logIndex: () => this.index,
      sizeBytes: () => SIZE_BYTES,
      folder: (path) => ({
        path,
        list: () => [...this.files].sort(),
        rename: (from, to) => {
          this.files = this.files.map((name) => (name === from ? to : name));
        },
        sync: () => undefined,
        freeBytes: () => this.freeBytes,
      }),
      save: async (_, name) => {
        if (this.saveError !== undefined) throw this.saveError;
        this.files.push(name);
        return saved();
      },
      verify: async () => {
        if (this.verifyError !== undefined) throw this.verifyError;
        return saved();
      },
      remove: async (_, names) => {
        this.files = this.files.filter((name) => !names.includes(name));
      },
    };
  }
}

test("names sort by time, say the revision, and are read again", () => {
  const name = snapshotName(new Date(START_MS + 999), 42n);
  expect(name).toBe("snapshot-20261122T120000Z-r0000000042.db");
  expect(readSnapshotName(name)).toEqual({ name, takenMs: START_MS, revision: 42n });
  for (const other of [
    "snapshot.db",
    `${name}.part`,
    `${name}.corrupt`,
    `x${name}`,
    "snapshot-20261399T120000Z-r0000000042.db",
  ]) {
    expect(readSnapshotName(other)).toBeUndefined();
  }
});

test("one at once, then one in an interval; only the newest stay, and what is not ours is left alone", async () => {
  const rig = new Rig();
  rig.files = ["notes.txt", "snapshot-of-mine.db"];
  rig.start();
  for (let i = 0; i < 4; i++) {
    await rig.clock.advance(HOUR_MS);
    rig.index++;
  }
  await rig.stop();
  expect(rig.files).toEqual([
    "notes.txt",
    "snapshot-of-mine.db",
    "snapshot-20261122T150000Z-r0000000003.db",
    "snapshot-20261122T160000Z-r0000000004.db",
  ]);
  expect(new Set(rig.messages)).toEqual(new Set(["info: saved and verified a scheduled snapshot"]));
  expect(rig.count("saved")).toBe(4);
  expect(rig.counts.last).toMatchObject({ takenMs: START_MS + 4 * HOUR_MS, sizeBytes: SIZE_BYTES });
});

test("after a start the first is due when the newest is an interval old, and leftovers are gone", async () => {
  const rig = new Rig();
  const old = snapshotName(new Date(START_MS - HOUR_MS / 2), 7n);
  const unverified = snapshotName(new Date(START_MS - 1000), 0n);
  rig.files = [old, `${unverified}.new`, `${unverified}.new.part`, `${old}.part`, "mine.part"];
  rig.start();
  await rig.clock.advance(HOUR_MS / 2 - 1);
  expect(rig.files).toEqual([old, "mine.part"]);
  expect(rig.counts.last).toMatchObject({ takenMs: START_MS - HOUR_MS / 2, tookMs: undefined });
  await rig.clock.advance(1);
  await rig.stop();
  expect(rig.count("saved")).toBe(1);
});

test("none is taken while nothing is logged, and the next as soon as an interval after that has passed", async () => {
  const rig = new Rig();
  rig.start();
  await rig.clock.advance(3.5 * HOUR_MS);
  expect([rig.count("saved"), rig.count("unchanged")]).toEqual([1, 3]);
  rig.index++;
  await rig.clock.advance(HOUR_MS);
  await rig.stop();
  expect([rig.count("saved"), rig.count("unchanged")]).toEqual([2, 3]);
});

test("one that is damaged is set aside and never counts; the good ones stay until there is another good one", async () => {
  const rig = new Rig();
  rig.start();
  await rig.clock.advance(HOUR_MS - 1);
  rig.index++;
  rig.verifyError = new CorruptionError("/backups/x", 4096, "page 1: invalid type");
  await rig.clock.advance(10 * HOUR_MS);
  const [good, ...others] = rig.files;
  expect(good).toBe("snapshot-20261122T120000Z-r0000000001.db");
  expect(others).toHaveLength(1);
  expect(others[0]).toMatch(/^snapshot-.*-r0000000002\.db\.corrupt$/);
  expect(rig.count("corrupt")).toBeGreaterThan(5);
  const damaged = rig.events.filter(({ message }) => message.includes("damaged"));
  expect(damaged).toHaveLength(1);
  expect(damaged[0]).toMatchObject({ level: "error" });
  rig.verifyError = undefined;
  await rig.clock.advance(2 * HOUR_MS);
  await rig.stop();
  expect(rig.count("saved")).toBe(2);
});

test("what is not what was saved is damaged as well", async () => {
  const rig = new Rig();
  rig.verifyError = new StrataError("CORRUPT", "there is no checksum behind it");
  rig.start();
  await rig.clock.advance(1);
  await rig.stop();
  expect(rig.files).toEqual(["snapshot-20261122T120000Z-r0000000001.db.corrupt"]);
});

test("a disk without room is told of once, nothing is begun, and it goes on when there is room", async () => {
  const rig = new Rig();
  rig.freeBytes = SIZE_BYTES;
  rig.start();
  await rig.clock.advance(5 * HOUR_MS);
  expect(rig.messages).toEqual(["warn: no scheduled snapshot: the disk has not enough room"]);
  expect(rig.events[0]?.fields).toMatchObject({ dir: "/backups", freeBytes: SIZE_BYTES });
  expect(rig.files).toEqual([]);
  rig.freeBytes = 2 ** 40;
  await rig.clock.advance(HOUR_MS);
  await rig.stop();
  expect(rig.count("saved")).toBeGreaterThan(0);
});

test("a failure is tried again sooner than an interval, and told of once", async () => {
  const rig = new Rig();
  rig.saveError = new Error("EIO: i/o error, write");
  rig.start();
  await rig.clock.advance(10 * 60_000);
  expect(rig.messages).toEqual(["error: a scheduled snapshot failed"]);
  expect(rig.events[0]?.fields).toMatchObject({ reason: "EIO: i/o error, write" });
  expect(rig.count("failed")).toBe(4);
  rig.saveError = undefined;
  await rig.clock.advance(10 * 60_000);
  await rig.stop();
  expect(rig.files).toHaveLength(1);
});

test("a time of the day that was set back costs nothing but an older name", async () => {
  const rig = new Rig();
  rig.start();
  await rig.clock.advance(HOUR_MS + 1);
  rig.offMs = -24 * HOUR_MS;
  rig.index++;
  await rig.clock.advance(HOUR_MS);
  await rig.stop();
  expect(rig.files).toContain("snapshot-20261121T140000Z-r0000000002.db");
});

test("wishes that cannot be met are refused", () => {
  expect(scheduledSnapshotsOf({ dir: "d" })).toEqual({
    dir: "d",
    intervalMs: 12 * HOUR_MS,
    keep: 5,
  });
  for (const wish of [{ dir: "" }, { dir: "d", intervalMs: 0 }, { dir: "d", keep: 0 }]) {
    expect(() => scheduledSnapshotsOf(wish)).toThrow(/^snapshots: /);
  }
});
