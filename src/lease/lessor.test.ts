import { expect, test } from "vitest";
import { LeaseLog } from "../../test/support/lease-log.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { LEASE_TTL_MAX, minLeaseTtl } from "./lessor.ts";

/** A promoted lessor at time 0. */
function started(settings: ConstructorParameters<typeof LeaseLog>[1] = {}) {
  const clock = new ManualClock();
  const log = new LeaseLog(clock, settings);
  log.start();
  return { clock, log, lessor: log.lessor };
}

test("a granted lease is a row as etcd writes it", () => {
  const { log, lessor } = started();
  expect(lessor.applyGrant({ id: 0x1234n, ttl: 300 }, log)).toBe(300);
  expect(lessor.applyGrant({ id: -1n, ttl: 60 }, log)).toBe(60);
  expect(log.shown()).toEqual({
    "0000000000001234": "08b42410ac02",
    ffffffffffffffff: "08ffffffffffffffffff01103c",
  });
  lessor.applyCheckpoint([{ id: 0x1234n, remainingTtl: 7 }], log);
  expect(log.shown()["0000000000001234"]).toBe("08b42410ac021807");
});

test("what a grant refuses, and to what it raises", () => {
  const { log, lessor } = started();
  const grant = (id: bigint, ttl: number): unknown => {
    try {
      return lessor.applyGrant({ id, ttl }, log);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect([-5, 0, 1, 2, 3].map((ttl, i) => grant(BigInt(i + 1), ttl))).toEqual([2, 2, 2, 2, 3]);
  expect(grant(1n, 5)).toBe("etcdserver: lease already exists");
  expect(grant(0n, 5)).toBe("etcdserver: requested lease not found");
  expect(grant(9n, LEASE_TTL_MAX)).toBe(LEASE_TTL_MAX);
  expect(grant(1n, LEASE_TTL_MAX + 1)).toBe("etcdserver: too large lease TTL");
  expect([minLeaseTtl(1000), minLeaseTtl(100), minLeaseTtl(5000)]).toEqual([2, 1, 8]);
});

test("a key hangs on one lease, its latest; revoking gives them sorted", () => {
  const { log, lessor } = started();
  lessor.applyGrant({ id: 1n, ttl: 60 }, log);
  lessor.applyGrant({ id: 2n, ttl: 60 }, log);
  for (const key of ["b", "\xff", "a", "b", "aa"]) lessor.attach(key, 1n);
  lessor.attach("aa", 2n);
  lessor.detach("missing");
  expect([lessor.leaseOf("aa"), lessor.leaseOf("a"), lessor.leaseOf("x")]).toEqual([2n, 1n, 0n]);
  expect(() => lessor.attach("a", 3n)).toThrow("etcdserver: requested lease not found");
  expect(lessor.leaseOf("a")).toBe(1n);
  lessor.detach("aa");
  expect(lessor.timeToLive(2n, true).keys).toEqual([]);
  expect(lessor.applyRevoke(1n, log)).toEqual(["a", "b", "\xff"]);
  expect([lessor.leaseOf("a"), lessor.has(1n), log.rows.size]).toEqual([0n, false, 1]);
  expect(() => lessor.applyRevoke(1n, log)).toThrow("etcdserver: requested lease not found");
});

test("time to live: whole seconds rounded down, and -1 for a lease nobody knows", async () => {
  const { clock, log, lessor } = started();
  log.failure = new Error("the log is closed");
  lessor.applyGrant({ id: 1n, ttl: 5 }, log);
  lessor.attach("k", 1n);
  await clock.advance(100);
  expect(lessor.timeToLive(1n, false)).toEqual({ ttl: 4, grantedTtl: 5, keys: [] });
  expect(lessor.timeToLive(1n, true).keys).toEqual(["k"]);
  await clock.advance(5000);
  expect(lessor.timeToLive(1n, true)).toEqual({ ttl: 0, grantedTtl: 5, keys: ["k"] });
  expect(lessor.timeToLive(2n, true)).toEqual({ ttl: -1, grantedTtl: 0, keys: [] });
});

test("leases are listed soonest to expire first", async () => {
  const { clock, log, lessor } = started();
  for (const [id, ttl] of [
    [1n, 30],
    [2n, 10],
    [3n, 20],
  ] as const) {
    lessor.applyGrant({ id, ttl }, log);
  }
  expect(lessor.leases()).toEqual([2n, 3n, 1n]);
  await clock.advance(5000);
  await lessor.keepAlive(2n);
  await lessor.keepAlive(1n);
  expect(lessor.leases()).toEqual([2n, 3n, 1n]);
  await clock.advance(9000);
  await lessor.keepAlive(2n);
  expect(lessor.leases()).toEqual([3n, 2n, 1n]);
});

test("an expired lease is revoked within half a second, with one timer for all", async () => {
  const { clock, log, lessor } = started();
  for (let id = 1n; id <= 100n; id++) lessor.applyGrant({ id, ttl: 3 }, log);
  await clock.advance(2999);
  expect([lessor.size, clock.sleeping]).toEqual([100, 1]);
  await clock.advance(501);
  expect([lessor.size, clock.sleeping, log.rows.size]).toEqual([0, 1, 0]);
  expect(log.count("revoke")).toBe(100);
});

test("at most 500 are revoked per pass", async () => {
  const { clock, log, lessor } = started();
  for (let id = 1n; id <= 1200n; id++) lessor.applyGrant({ id, ttl: 3 }, log);
  const left: number[] = [];
  for (let pass = 0; pass < 4; pass++) {
    await clock.advance(pass === 0 ? 3000 : 500);
    left.push(lessor.size);
  }
  expect(left).toEqual([700, 200, 0, 0]);
});

test("a revocation that failed is tried again after the timeout, a slow one is left alone", async () => {
  const { clock, log, lessor } = started({ revokeRetryMs: 7000 });
  lessor.applyGrant({ id: 1n, ttl: 2 }, log);
  log.failure = new Error("no");
  await clock.advance(8999);
  expect(log.count("revoke")).toBe(1);
  await clock.advance(1);
  expect(log.count("revoke")).toBe(2);
  log.failure = undefined;
  log.delayMs = 20_000;
  await clock.advance(26_000);
  expect([log.count("revoke"), lessor.size]).toEqual([3, 1]);
  await clock.advance(2000);
  expect([log.count("revoke"), lessor.size]).toEqual([3, 0]);
});

test("a stuck log is not given more than a thousand revocations", async () => {
  const { clock, log, lessor } = started();
  log.delayMs = 1e9;
  for (let id = 1n; id <= 3000n; id++) lessor.applyGrant({ id, ttl: 2 }, log);
  await clock.advance(60_000);
  expect(log.count("revoke")).toBe(1000);
});

test("keepAlive gives the full TTL again; unknown leases answer 0", async () => {
  const { clock, log, lessor } = started();
  lessor.applyGrant({ id: 1n, ttl: 5 }, log);
  await clock.advance(4900);
  expect(await lessor.keepAlive(1n)).toBe(5);
  expect(await lessor.keepAlive(2n)).toBe(0);
  await clock.advance(4900);
  expect([lessor.has(1n), log.proposed.length]).toEqual([true, 0]);
  await clock.advance(600);
  expect(lessor.has(1n)).toBe(false);
});

test("keepAlive of an expired lease waits for its end and answers 0", async () => {
  const { clock, log, lessor } = started();
  log.delayMs = 1000;
  lessor.applyGrant({ id: 1n, ttl: 3 }, log);
  await clock.advance(3000);
  const answers: number[] = [];
  for (let i = 0; i < 2; i++) void lessor.keepAlive(1n).then((ttl) => answers.push(ttl));
  await clock.advance(900);
  expect([answers, lessor.has(1n)]).toEqual([[], true]);
  await clock.advance(100);
  expect([answers, lessor.has(1n)]).toEqual([[0, 0], false]);
});

test("before it is promoted and after it is stopped a lessor says so", async () => {
  const log = new LeaseLog(new ManualClock());
  log.lessor.applyGrant({ id: 1n, ttl: 3 }, log);
  await expect(log.lessor.keepAlive(1n)).rejects.toMatchObject({ code: "NO_LEADER" });
  expect(log.lessor.timeToLive(1n, false).ttl).toBe(3);
  log.start();
  log.failure = new Error("no");
  await log.clock.advance(3500);
  const waiting = expect(log.lessor.keepAlive(1n)).rejects.toMatchObject({ code: "STOPPED" });
  log.lessor.stop();
  await waiting;
  await expect(log.lessor.keepAlive(1n)).rejects.toThrow("etcdserver: server stopped");
});

test("rows that are no leases are refused, short TTLs raised, and rows left as they are", () => {
  const log = new LeaseLog(new ManualClock());
  log.lessor.applyGrant({ id: 1n, ttl: 3 }, log);
  log.lessor.applyGrant({ id: 2n, ttl: 60 }, log);
  log.lessor.applyCheckpoint([{ id: 2n, remainingTtl: 41 }], log);
  const rows = log.shown();
  const next = new LeaseLog(new ManualClock(), { minTtl: 5 });
  for (const { key, value } of log.rows.values()) expect(next.lessor.load(key, value)).toBe(true);
  for (const { key, value } of log.rows.values()) expect(next.lessor.load(key, value)).toBe(false);
  expect(next.lessor.load(new Uint8Array(8), new Uint8Array([0xff]))).toBe(false);
  next.start(1000);
  expect(next.lessor.timeToLive(1n, false)).toMatchObject({ ttl: 6, grantedTtl: 5 });
  expect(next.lessor.timeToLive(2n, false)).toMatchObject({ ttl: 42, grantedTtl: 60 });
  expect(log.shown()).toEqual(rows);
});

test("from 1000 leases on, no second after a restart has more than 750 expiries", async () => {
  for (const count of [999, 1000, 4000]) {
    const log = new LeaseLog(new ManualClock());
    for (let id = 1n; id <= BigInt(count); id++) log.lessor.applyGrant({ id, ttl: 10 }, log);
    log.restart();
    log.start();
    await log.clock.advance(9999);
    expect(log.lessor.size).toBe(count);
    await log.clock.advance(1);
    const gone: number[] = [count - log.lessor.size];
    for (let second = 1; second < 8; second++) {
      const before = log.lessor.size;
      await log.clock.advance(1000);
      gone.push(before - log.lessor.size);
    }
    const most = Math.max(...gone);
    expect([log.lessor.size, most <= 750 || count === 999]).toEqual([0, true]);
  }
});
