/** Scheduled snapshots: what stands under a name of theirs is whole, and one that was told of stays, wherever the power fails. */
import { expect, test } from "vitest";
import type { Directory } from "../../native-free/file.ts";
import { ScheduledSnapshotCounts } from "../../src/engine/scheduled-snapshot-counts.ts";
import {
  runScheduledSnapshots,
  type ScheduledSnapshotsHost,
} from "../../src/engine/scheduled-snapshots.ts";
import { readSnapshotName } from "../../src/engine/snapshot-names.ts";
import type { SavedSnapshot } from "../../src/engine/snapshots.ts";
import { removeFrom } from "../../src/jobs/remove-files-work.ts";
import { writeSnapshot } from "../../src/jobs/snapshot-save-work.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const INTERVAL_MS = 60_000;
const WHOLE = new Uint8Array(1500).fill(7);
const SAVED: SavedSnapshot = { sizeBytes: WHOLE.length, revision: 5n };

function read(directory: Directory, name: string): Uint8Array {
  const file = directory.openFile(name, "read");
  const bytes = new Uint8Array(file.size());
  file.read(0, bytes);
  file.close();
  return bytes;
}

/** A minute after another, on one disk. @returns how many were told to be saved */
async function minutes(disk: PowerCutDisk, fromMs: number, count: number): Promise<number> {
  const clock = new ManualClock(fromMs);
  const stop = new AbortController();
  const counts = new ScheduledSnapshotCounts();
  let index = 0;
  const host: ScheduledSnapshotsHost = {
    clock,
    log: () => undefined,
    counts,
    now: () => new Date(clock.nowMs()),
    logIndex: () => ++index,
    sizeBytes: () => WHOLE.length,
    folder: (path) => ({
      path,
      list: () => disk.list(),
      rename: (from, to) => disk.rename(from, to),
      sync: () => disk.sync(),
      freeBytes: () => 2 ** 40,
    }),
    save: async (_, name) => {
      const options = { wrote: () => undefined, sync: (file: { sync(): void }) => file.sync() };
      await writeSnapshot(disk, name, [WHOLE], options);
      return SAVED;
    },
    verify: async (_, name) => {
      expect(read(disk, name)).toEqual(WHOLE);
      return SAVED;
    },
    remove: async (_, names) => {
      removeFrom(disk, names);
    },
  };
  const options = { dir: "/backups", intervalMs: INTERVAL_MS, keep: 1 };
  const running = runScheduledSnapshots(options, host, stop.signal);
  for (let i = 0; i < count; i++) await clock.advance(INTERVAL_MS);
  stop.abort();
  await running;
  return counts.byOutcome.get("saved") ?? 0;
}

test("power cut at every event of three snapshots, of which one stays", async () => {
  const calm = new PowerCutDisk();
  expect(await minutes(calm, 0, 3)).toBeGreaterThanOrEqual(3);
  expect(calm.list()).toHaveLength(1);
  const events = calm.events;
  expect(events).toBeGreaterThan(10);
  for (let cutAt = 1; cutAt <= events; cutAt++) {
    for (const survival of ["keep", "lose", "torn"] as const) {
      const disk = new PowerCutDisk().reboot(rng(1), "lose", { cutAt });
      const saved = await minutes(disk, 0, 3);
      const left = disk.reboot(rng(cutAt), survival);
      const ours = left.list().filter((name) => readSnapshotName(name) !== undefined);
      if (saved > 0) expect(ours.length, `${cutAt} ${survival}`).toBeGreaterThan(0);
      for (const name of ours) {
        expect(read(left, name), `${cutAt} ${survival} ${name}`).toEqual(WHOLE);
      }
      // The next run clears away what this one has left, and keeps one.
      await minutes(left, 1_000_000, 2);
      expect(left.list().map((name) => readSnapshotName(name) !== undefined)).toEqual([true]);
    }
  }
});
