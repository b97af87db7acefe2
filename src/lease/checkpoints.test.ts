import { describe, expect, test } from "vitest";
import { LeaseLog } from "../../test/support/lease-log.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Lessor } from "./lessor.ts";

const INTERVAL_MS = 10_000;

function started(settings: ConstructorParameters<typeof LeaseLog>[1] = {}) {
  const clock = new ManualClock();
  const log = new LeaseLog(clock, { checkpointIntervalMs: INTERVAL_MS, ...settings });
  log.start();
  return { clock, log };
}

const final = (lessor: Lessor) => lessor.finalCheckpoint();
const handover = (lessor: Lessor) => lessor.handoverCheckpoint();
const ttlOf = (log: LeaseLog, id = 1n): number => log.lessor.timeToLive(id, false).ttl;

describe("what is left of a lease", () => {
  test("after a kill at any moment: never less than there was, at most an interval more", async () => {
    for (let killAt = 0; killAt < 60_000; killAt += 777) {
      const { clock, log } = started();
      log.lessor.applyGrant({ id: 1n, ttl: 60 }, log);
      await clock.advance(killAt);
      log.restart();
      await clock.advance(100_000); // Time without a server does not count.
      log.start();
      const gained = ttlOf(log) * 1000 - (60_000 - killAt);
      expect(gained, `killed at ${killAt}`).toBeGreaterThanOrEqual(0);
      expect(gained, `killed at ${killAt}`).toBeLessThanOrEqual(INTERVAL_MS);
    }
  });

  test("after a clean stop: within a second, and not more with every stop", async () => {
    const { clock, log } = started();
    log.lessor.applyGrant({ id: 1n, ttl: 60 }, log);
    log.lessor.applyGrant({ id: 2n, ttl: 3 }, log);
    let left = 60_000;
    for (const runMs of [2300, 1, 999, 1000, 8000, 15_700]) {
      await clock.advance(runMs);
      log.stopCleanly(final);
      log.restart();
      log.start();
      left = Math.ceil((left - runMs) / 1000) * 1000;
      expect(ttlOf(log) * 1000).toBe(left);
    }
    expect(ttlOf(log, 2n)).toBe(-1);
    log.stopCleanly(final);
    const rows = log.shown();
    log.restart();
    log.start(5000);
    log.stopCleanly(final); // What the promotion added is not stored: it would add up.
    expect(log.shown()).toEqual(rows);
  });

  test("a stop before the promotion changes nothing, one of an expired lease leaves it a second", async () => {
    const { clock, log } = started();
    log.failure = new Error("no");
    log.lessor.applyGrant({ id: 1n, ttl: 60 }, log);
    await clock.advance(63_000);
    log.stopCleanly(final);
    const rows = log.shown();
    log.restart();
    expect([ttlOf(log), log.lessor.finalCheckpoint()]).toEqual([1, []]);
    expect(log.shown()).toEqual(rows);
  });
});

describe("a renewal", () => {
  test("after a checkpoint is in the log before it is answered", async () => {
    const { clock, log } = started();
    log.lessor.applyGrant({ id: 1n, ttl: 60 }, log);
    await clock.advance(30_000);
    log.delayMs = 100;
    let answer: number | undefined;
    void log.lessor.keepAlive(1n).then((ttl) => {
      answer = ttl;
    });
    await clock.advance(99);
    expect([answer, ttlOf(log)]).toEqual([undefined, 59]);
    await clock.advance(1);
    expect(answer).toBe(60);
    log.restart();
    log.start();
    expect(ttlOf(log)).toBe(60);
  });

  test("that meets a checkpoint on its way is not undone by it", async () => {
    const { clock, log } = started();
    log.lessor.applyGrant({ id: 1n, ttl: 60 }, log);
    log.delayMs = 1000;
    while (log.proposed.length === 0) await clock.advance(100);
    let answered = false;
    void log.lessor.keepAlive(1n).then(() => {
      answered = true;
    });
    while (!answered) await clock.advance(100);
    await clock.advance(2000);
    expect(ttlOf(log)).toBeLessThan(59);
    log.restart();
    log.start();
    expect(ttlOf(log)).toBe(60);
  });

  test("that could not be logged fails, and a clean stop still keeps it", async () => {
    const { clock, log } = started();
    log.lessor.applyGrant({ id: 1n, ttl: 60 }, log);
    await clock.advance(30_000);
    log.failure = new Error("the disk is gone");
    await expect(log.lessor.keepAlive(1n)).rejects.toThrow("the disk is gone");
    await clock.advance(3500);
    log.stopCleanly(final);
    log.restart();
    log.start();
    expect(ttlOf(log)).toBe(57);
  });

  test("in time needs no entry, and many at once share one", async () => {
    const { clock, log } = started();
    for (let id = 1n; id <= 1500n; id++) log.lessor.applyGrant({ id, ttl: 60 }, log);
    const all = async () => {
      await Promise.all(log.lessor.leases().map((id) => log.lessor.keepAlive(id)));
    };
    for (let round = 0; round < 20; round++) {
      await clock.advance(4500);
      await all();
    }
    expect(log.proposed).toEqual([]);
    await clock.advance(20_000);
    const before = log.proposed.length;
    await all();
    expect(log.proposed.length - before).toBe(2); // 1000 and 500.
  });
});

test("a lease that the promotion extended is renewed to its TTL, and checkpointed from there", async () => {
  for (const killAt of [19_000, 29_900]) {
    const { clock, log } = started();
    log.lessor.applyGrant({ id: 1n, ttl: 30 }, log);
    log.restart();
    log.start(3_600_000);
    expect(await log.lessor.keepAlive(1n)).toBe(30);
    await clock.advance(killAt);
    log.restart();
    log.start();
    expect(ttlOf(log) * 1000 - (30_000 - killAt)).toBeLessThanOrEqual(INTERVAL_MS);
  }
  const { clock, log } = started();
  log.lessor.applyGrant({ id: 1n, ttl: 30 }, log);
  log.restart();
  log.start(3_600_000);
  await log.lessor.keepAlive(1n);
  await clock.advance(30_500);
  expect(log.lessor.size).toBe(0);
});

test("checkpoints of many leases are spread, and batched by a thousand", async () => {
  const { clock, log } = started();
  for (let id = 1n; id <= 5000n; id++) log.lessor.applyGrant({ id, ttl: 600 }, log);
  const perPass: number[] = [];
  let seen = 0;
  for (let pass = 0; pass < 24; pass++) {
    await clock.advance(500);
    const entries = log.proposed.slice(seen);
    seen = log.proposed.length;
    let leases = 0;
    for (const entry of entries) {
      if (entry.kind !== "checkpoint") continue;
      expect(entry.checkpoints.length).toBeLessThanOrEqual(1000);
      leases += entry.checkpoints.length;
    }
    perPass.push(leases);
  }
  expect(perPass.slice(0, 9)).toEqual(new Array(9).fill(0));
  expect(Math.max(...perPass)).toBeLessThan(1500);
  expect(perPass.slice(0, 18).reduce((sum, n) => sum + n, 0)).toBe(5000);
});

test("no more than the log is asked to bear; the most overdue go first", async () => {
  const { clock, log } = started({ checkpointsPerSecondMax: 100 });
  for (let id = 1n; id <= 2000n; id++) log.lessor.applyGrant({ id, ttl: 600 }, log);
  await clock.advance(30_000);
  const ids = log.proposed.flatMap((entry) =>
    entry.kind === "checkpoint" ? entry.checkpoints.map(({ id }) => id) : [],
  );
  expect(ids.length).toBeLessThanOrEqual(2600);
  expect(new Set(ids.slice(0, 2000)).size).toBe(2000);
});

test("a checkpoint that failed is due again, a slow log gets no second one", async () => {
  const { clock, log } = started();
  log.lessor.applyGrant({ id: 1n, ttl: 600 }, log);
  log.failure = new Error("no");
  await clock.advance(10_000);
  const tries = log.count("checkpoint");
  expect(tries).toBeGreaterThan(1);
  log.failure = undefined;
  log.delayMs = 60_000;
  await clock.advance(50_000);
  expect(log.count("checkpoint")).toBe(tries + 1);
});

test("leases within an interval, and all with checkpoints off, are left alone", async () => {
  const { clock, log } = started();
  log.lessor.applyGrant({ id: 1n, ttl: 10 }, log);
  const off = new LeaseLog(clock, { checkpointIntervalMs: Number.POSITIVE_INFINITY });
  off.start();
  off.lessor.applyGrant({ id: 1n, ttl: 600 }, off);
  await clock.advance(9500);
  expect([log.proposed, off.proposed]).toEqual([[], []]);
  expect(() => new LeaseLog(clock, { checkpointIntervalMs: 1999 })).toThrow("2 s or more");
});

test("after a handover no row has a remaining TTL, whatever was on its way", async () => {
  const { clock, log } = started();
  for (let id = 1n; id <= 3n; id++) log.lessor.applyGrant({ id, ttl: 60 }, log);
  const granted = log.shown();
  await clock.advance(20_000);
  expect(log.shown()).not.toEqual(granted);
  log.stopCleanly(handover);
  expect(log.shown()).toEqual(granted);
});
