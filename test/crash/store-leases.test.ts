/**
 * What is left of a lease over stops, kills and power cuts: after a clean stop what it was, within a second; after a
 * kill at most one checkpoint interval more; never less than was promised, and never full again for nothing.
 *
 *   STRATA_FULL=1 npx vitest run test/crash/store-leases.test.ts
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { type Rng, rng } from "../support/rng.ts";
import { answersIn, SMALL, StoreProcess, storeChild } from "../support/store-kills.ts";
import { openTiny } from "../support/store-life.ts";
import type { StoreOp } from "../support/store-ops.ts";

const full = process.env.STRATA_FULL === "1";
const seeds = Array.from({ length: full ? 400 : 15 }, (_, i) => i + 1);

/** Of the store, its default. */
const INTERVAL_MS = 10_000;

/** As a client sees its lease; on the running clock, which begins anew with each life. */
interface Promised {
  readonly id: bigint;
  readonly ttl: number;
  /** It must not end before. */
  notBeforeMs: number;
  /** It must have ended by then, but for what its end takes. */
  notAfterMs: number;
}

async function work(
  store: Strata,
  clock: ManualClock,
  leases: Promised[],
  chance: Rng,
): Promise<void> {
  const kind = chance.int(10);
  if (kind === 0 || leases.length === 0) {
    const ttl = 5 + chance.int(120);
    const { id } = await store.lease.grant(ttl);
    const endMs = clock.nowMs() + ttl * 1000;
    leases.push({ id, ttl, notBeforeMs: endMs, notAfterMs: endMs });
  } else if (kind <= 2) {
    const lease = chance.pick(leases);
    if (clock.nowMs() >= lease.notBeforeMs) return;
    await store.lease.keepAlive(lease.id);
    lease.notBeforeMs = clock.nowMs() + lease.ttl * 1000;
    lease.notAfterMs = lease.notBeforeMs;
  } else {
    await advance(clock, chance.int(chance.pick([500, 5000, 30_000])));
  }
}

/** In small steps: else a minute passes in as many turns of the event loop as the log takes for one entry. */
async function advance(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) await clock.advance(Math.min(50, left));
}

/** @throws if a lease is gone too soon, or there too long */
async function mustBeAsPromised(
  store: Strata,
  clock: ManualClock,
  leases: Promised[],
): Promise<void> {
  for (const lease of [...leases]) {
    const status = await store.lease.timeToLive(lease.id);
    const nowMs = clock.nowMs();
    if (status === undefined) {
      expect(nowMs).toBeGreaterThanOrEqual(lease.notBeforeMs);
      leases.splice(leases.indexOf(lease), 1);
      continue;
    }
    expect(status.grantedTtl).toBe(lease.ttl);
    // Whole seconds, rounded towards 0; an expired one is looked for every half second, and its end is logged.
    const lateMs = status.ttl <= 0 ? 700 : 0;
    expect(nowMs + (status.ttl + 1) * 1000).toBeGreaterThan(lease.notBeforeMs);
    expect(nowMs + status.ttl * 1000).toBeLessThanOrEqual(lease.notAfterMs + lateMs);
  }
}

test.each(seeds)("leases over stops, kills and power cuts, seed %i", async (seed) => {
  const chance = rng(seed);
  let disk = new PowerCutDisk();
  const leases: Promised[] = [];
  for (let life = 0; life < 6; life++) {
    const clock = new ManualClock(life * 1e9);
    const store = await openTiny(disk, clock);
    await mustBeAsPromised(store, clock, leases);
    for (let step = 0; step < 25; step++) await work(store, clock, leases, chance);
    await advance(clock, chance.int(2000));
    await mustBeAsPromised(store, clock, leases);
    const end = chance.pick(["stop", "kill", "power cut"]);
    const nowMs = clock.nowMs();
    if (end === "stop") await store.close();
    else await store.member.abandon();
    if (end === "power cut") disk = disk.reboot(chance, "lose");
    // The next clock goes on from another time, and what passed meanwhile does not count.
    const shiftMs = (life + 1) * 1e9 - nowMs;
    for (const lease of leases) {
      const leftMs = lease.notAfterMs - nowMs;
      const gainMs = end === "stop" ? 1000 : INTERVAL_MS;
      lease.notAfterMs = nowMs + Math.min(Math.max(leftMs, 0) + gainMs, lease.ttl * 1000) + shiftMs;
      lease.notBeforeMs += shiftMs;
    }
  }
});

const SIGNALS = [
  // `SMALL` has an interval of 2 s.
  { signal: "SIGTERM", gainMs: 0 },
  { signal: "SIGKILL", gainMs: 2000 },
] as const;

test.each(SIGNALS)("a real process that ends by $signal", async ({ signal, gainMs }) => {
  const scratch = scratchFolder("leases");
  const dir = join(scratch, "data");
  const answers = join(scratch, "answers");
  rmSync(answers, { force: true });
  const TTL = 60;
  const script: StoreOp[] = Array.from({ length: 5 }, (_, i) => ({
    kind: "grant",
    id: i + 1,
    lease: String(i + 1),
    ttl: TTL,
  }));
  const options = { ...SMALL };
  const child = new StoreProcess(storeChild(), { dir, options, script, lanes: 5, answers });
  await child.says("done");
  await sleep(6500);
  const endedMs = Date.now();
  await child.end(signal);
  const store = await Strata.open({ dir }, options);
  const granted = answersIn(answers);
  expect(granted).toHaveLength(script.length);
  for (const answer of granted) {
    const passedMs = endedMs - ("atMs" in answer ? answer.atMs : Number.NaN);
    const leftMs = TTL * 1000 - passedMs;
    const status = await store.lease.timeToLive(BigInt(answer.id));
    // Whole seconds again; and what the process took to end, and this one to look.
    expect((status?.ttl ?? -1) * 1000).toBeGreaterThan(leftMs - 2000);
    expect((status?.ttl ?? -1) * 1000).toBeLessThan(leftMs + gainMs + 1000);
  }
  await store.close();
});
