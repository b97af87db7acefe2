/** Maintenance where a data dir is not what it mostly is: behind links, without a folder for snapshots, empty. */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type EngineEvent, Strata } from "../../src/index.ts";
import { readStatus } from "../../src/jobs/snapshot-status-work.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { ManualClock } from "../support/manual-clock.ts";

async function fill(store: Strata): Promise<void> {
  const value = "x".repeat(4000);
  const puts = Array.from({ length: 300 }, (_, i) => store.put(`k${i % 50}`, value));
  await Promise.all(puts);
  await store.compact(store.status().revision, { physical: true });
}

test("a data dir and a database behind links stay so: what they lead to is defragmented, and kept clean", async () => {
  const folder = scratchFolder("links");
  const [real, dir, elsewhere] = ["real", "data", "elsewhere"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await (await Strata.open({ dir: real })).close();
  symlinkSync(real, dir);
  mkdirSync(elsewhere);
  const db = join(real, "member/snap/db");
  const place = join(elsewhere, "database");
  renameSync(db, place);
  symlinkSync(place, db);
  // Of a defragmentation that was killed; and a file of somebody else's.
  writeFileSync(`${place}.tmp.123`, "litter");
  writeFileSync(`${place}.mine`, "mine");
  {
    await using store = await Strata.open({ dir });
    expect(readdirSync(elsewhere).sort()).toEqual(["database", "database.mine"]);
    await fill(store);
    const before = { size: statSync(place).size, hash: await store.hashKv() };
    expect(await store.defragment()).toMatchObject({ outcome: "done" });
    expect(statSync(place).size).toBeLessThan(before.size);
    expect(await store.hashKv()).toEqual(before.hash);
    await store.put("after", "v");
  }
  expect([readlinkSync(dir), readlinkSync(db)]).toEqual([real, place]);
  expect(lstatSync(place).isFile()).toBe(true);
  expect(readdirSync(elsewhere).sort()).toEqual(["database", "database.mine"]);
  await using again = await Strata.open({ dir });
  expect((await again.get("after"))?.value.string()).toBe("v");
});

test("a folder for snapshots that cannot be made is said, once while it is so, and taken when it can", async () => {
  const folder = scratchFolder("unwritable");
  const blocked = join(folder, "blocked");
  writeFileSync(blocked, "a file");
  const dir = join(blocked, "snapshots");
  const clock = new ManualClock(Date.now());
  const errors: EngineEvent[] = [];
  const log = (event: EngineEvent): void => {
    if (event.level === "error") errors.push(event);
  };
  const options = { clock, log, snapshots: { dir, intervalMs: 60_000 } };
  await using store = await Strata.open({ dir: join(folder, "data") }, options);
  for (let i = 0; i < 3; i++) await clock.advance(60_000);
  expect(errors).toMatchObject([
    {
      message: "a scheduled snapshot failed",
      fields: { dir, reason: expect.stringMatching(/ENOTDIR|EEXIST/) },
    },
  ]);
  await store.put("k", "v");
  rmSync(blocked);
  mkdirSync(blocked);
  const taken = (): number =>
    store.member.maintenance.scheduledSnapshotCounts.byOutcome.get("saved") ?? 0;
  for (let i = 0; taken() === 0 && i < 300; i++) {
    await clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(taken()).toBeGreaterThan(0);
  expect(readdirSync(dir).length).toBeGreaterThan(0);
});

test.each(["a folder", "memory"])(
  "an empty store in %s has maintenance as any other",
  async (where) => {
    const folder = scratchFolder("empty");
    const place = where === "memory" ? ({ memory: true } as const) : { dir: join(folder, "data") };
    await using store = await Strata.open(place);
    const hash = await store.hashKv();
    expect(hash).toMatchObject({ revision: 1n });
    expect(await store.member.maintenance.hash()).toBeGreaterThanOrEqual(0);
    const { outcome } = await store.defragment();
    expect(["done", "refused"]).toContain(outcome);
    expect(await store.defragment({ force: true })).toMatchObject({ outcome: "done" });
    await store.compact(1n, { physical: true });
    expect(store.status()).toMatchObject({ revision: 1n, compactedRevision: 1n });
    await expect(store.compact(2n)).rejects.toMatchObject({ code: "FUTURE" });
    expect((await store.hashKv()).hash).toBe(hash.hash);
    const path = join(folder, "snapshot.db");
    // As etcdctl's status has it: there is no key of any revision.
    expect(await store.saveSnapshot(path)).toMatchObject({ revision: 0n });
    expect(await readStatus({ path, liveKeys: true })).toMatchObject({ revision: 0, liveKeys: 0 });
    await store.put("k", "v");
    expect(store.status().revision).toBe(2n);
  },
);
