/** Upkeep of a store in a directory, on threads: it comes about, and leaves nothing behind. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { Strata } from "../../src/index.ts";
import { UpkeepThreads } from "../../src/jobs/upkeep.ts";
import { scratchFolder } from "../support/cleanup.ts";

const SEGMENT_BYTES = 256 * 1024;

test("segments are laid out in advance once there is something to write, and released again", async () => {
  const dir = scratchFolder("upkeep");
  const wal = join(dir, "member/wal");
  const snap = join(dir, "member/snap");
  const names = (suffix: string): string[] => readdirSync(wal).filter((n) => n.endsWith(suffix));
  const options = { segmentBytes: SEGMENT_BYTES, snapshotCount: 100, batchIntervalMs: 5 };
  const store = await Strata.open({ dir }, options);
  expect(names(".tmp")).toEqual([]);
  let laidOut = 0;
  for (let i = 0; i < 400; i++) {
    await store.put(`key-${i}`, "x".repeat(9000));
    laidOut += names(".tmp").some((name) => /^[01]\.tmp$/.test(name)) ? 1 : 0;
    if (i % 10 === 0) await sleep(5);
  }
  expect(laidOut).toBeGreaterThan(10);
  await expect
    .poll(() => readdirSync(snap).filter((n) => n.endsWith(".snap")).length)
    .toBeGreaterThan(2);
  await expect.poll(() => names(".wal").length).toBeLessThan(9);
  const segments = names(".wal");
  expect(segments[0]).not.toMatch(/^0{16}-/);
  await store.close();
  expect(names(".tmp")).toEqual([]);
  expect(readdirSync(snap).filter((name) => name.includes("tmp"))).toEqual([]);
  await using again = await Strata.open({ dir }, options);
  expect(await again.count({ prefix: "key-" })).toBe(400);
});

test("laying out ends when it is told to, and what it makes is zeros", async () => {
  const folder = new SystemDirectory(scratchFolder("prepare"));
  const upkeep = new UpkeepThreads();
  const never = new AbortController().signal;
  await upkeep.prepare(folder, "0.tmp", 3_000_000, never);
  const bytes = readFileSync(join(folder.path, "0.tmp"));
  expect(bytes.length).toBe(3_000_000);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  const stop = new AbortController();
  const long = upkeep.prepare(folder, "1.tmp", 2_000_000_000, stop.signal);
  await expect.poll(() => folder.exists("1.tmp")).toBe(true);
  stop.abort();
  await expect(long).rejects.toMatchObject({ name: "AbortError" });
  expect(statSync(join(folder.path, "1.tmp")).size).toBeLessThan(2_000_000_000);
  await upkeep.close();
});

test.runIf(process.platform === "linux")("only threads of jobs stand back", async () => {
  const dir = scratchFolder("nice");
  const before = new Set(threads());
  await using store = await Strata.open({ dir });
  // That of the storage is one of them. The one that lays segments out starts with the first put.
  const ofOpening = threads().filter((id) => !before.has(id));
  expect(ofOpening.length).toBeGreaterThan(0);
  await store.put("a", "v");
  const snapshot = await store.snapshot();
  await snapshot.next();
  await store.hashKv();
  expect(niceOf(threads())).toEqual([0, 15]);
  await snapshot.close();
  await store.put("b", "v");
  expect(niceOf([String(process.pid), ...ofOpening])).toEqual([0]);
});

const threads = (): string[] => readdirSync("/proc/self/task");

/** Each value once. */
function niceOf(ids: readonly string[]): number[] {
  const values = new Set(
    ids.map((id) => niceIn(readFileSync(`/proc/self/task/${id}/stat`, "utf8"))),
  );
  return [...values].sort((a, b) => a - b);
}

/** Field 19, the 17th behind the command's name in its brackets. */
function niceIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}
