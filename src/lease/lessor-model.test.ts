/**
 * Random lives of a lessor beside a model that cannot be wrong: for each lease between when and when it has to end, and
 * for each key where it hangs.
 */
import { expect, test } from "vitest";
import { LeaseLog } from "../../test/support/lease-log.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { type Rng, rng } from "../../test/support/rng.ts";

const INTERVAL_MS = 4000;
/** A pass may just have been missed, and the log takes its time, for each of several entries in a row. */
const LATE_MS = 500 + 1500;

interface ModelLease {
  readonly ttl: number;
  /** It lives at any time before this… */
  promisedMs: number;
  /** …and is gone `LATE_MS` after this. */
  latestMs: number;
}

class Life {
  readonly chance: Rng;
  readonly clock = new ManualClock();
  readonly log = new LeaseLog(this.clock, { checkpointIntervalMs: INTERVAL_MS });
  readonly leases = new Map<bigint, ModelLease>();
  readonly keys = new Map<string, bigint>();
  readonly seen = new Map<string, number>();

  constructor(seed: number) {
    this.chance = rng(seed);
    this.log.start();
  }

  async step(): Promise<void> {
    const draw = this.chance.int(100);
    if (draw < 15) this.grant();
    else if (draw < 20) this.revoke();
    else if (draw < 40) this.attach();
    else if (draw < 45) this.detach();
    else if (draw < 65) await this.keepAlive();
    else if (draw < 92) await this.pass();
    else if (draw < 95) this.restart(false);
    else if (draw < 98) this.restart(true);
    else this.log.delayMs = this.chance.pick([0, 0, 20, 200]);
    this.check();
  }

  grant(): void {
    const id = this.anyId();
    const ttl = this.chance.pick([1, 2, 3, 5, 10, 30]);
    if (this.leases.has(id)) {
      expect(() => this.log.lessor.applyGrant({ id, ttl }, this.log)).toThrow("already exists");
      return;
    }
    const granted = this.log.lessor.applyGrant({ id, ttl }, this.log);
    expect(granted).toBe(Math.max(2, ttl));
    const endMs = this.clock.nowMs() + granted * 1000;
    this.leases.set(id, { ttl: granted, promisedMs: endMs, latestMs: endMs });
  }

  revoke(): void {
    const id = this.anyId();
    if (!this.leases.has(id)) {
      expect(() => this.log.lessor.applyRevoke(id, this.log)).toThrow("lease not found");
      return;
    }
    const keys = this.keysOf(id);
    expect(this.log.lessor.applyRevoke(id, this.log)).toEqual(keys);
    this.forget(id);
  }

  attach(): void {
    const id = this.anyId();
    const key = this.anyKey();
    if (this.leases.has(id)) {
      this.log.lessor.attach(key, id);
      this.keys.set(key, id);
    } else expect(() => this.log.lessor.attach(key, id)).toThrow("lease not found");
  }

  detach(): void {
    const key = this.anyKey();
    this.log.lessor.detach(key);
    this.keys.delete(key);
  }

  async keepAlive(): Promise<void> {
    const id = this.anyId();
    const lease = this.leases.get(id);
    const startMs = this.clock.nowMs();
    let answer: number | undefined;
    void this.log.lessor.keepAlive(id).then((ttl) => {
      answer = ttl;
    });
    await this.clock.advance(0);
    // An expired lease may have been proposed just before, and waits for its turn or for the retry.
    for (let waits = 0; answer === undefined && waits < 100; waits++) await this.pass(100);
    expect(answer).toBeDefined();
    if (answer === 0) {
      expect(this.leases.has(id)).toBe(false);
      this.note(lease ? "too late" : "unknown");
    } else if (lease !== undefined) {
      expect(answer).toBe(lease.ttl);
      lease.promisedMs = startMs + lease.ttl * 1000;
      lease.latestMs = lease.promisedMs;
      this.note("renewed");
    }
  }

  async pass(ms = this.chance.pick([1, 100, 700, 3000])): Promise<void> {
    await this.clock.advance(ms);
    for (const [id, { promisedMs }] of this.leases) {
      if (this.log.lessor.has(id)) continue;
      expect(this.clock.nowMs(), "the promise is kept").toBeGreaterThanOrEqual(promisedMs);
      this.forget(id);
      this.note("expired");
    }
  }

  restart(clean: boolean): void {
    if (clean) this.log.stopCleanly((lessor) => lessor.finalCheckpoint());
    this.log.restart();
    for (const [key, id] of this.keys) this.log.lessor.attach(key, id);
    const extendMs = this.chance.pick([0, 1000]);
    this.log.start(extendMs);
    for (const lease of this.leases.values()) {
      // Of an expired one at least a second is stored, at most what the last checkpoint said.
      lease.latestMs = Math.max(lease.latestMs, this.clock.nowMs());
      lease.latestMs += extendMs + (clean ? 1000 : INTERVAL_MS);
    }
    this.note(clean ? "stopped" : "killed");
  }

  check(): void {
    const { lessor } = this.log;
    expect(lessor.size).toBe(this.leases.size);
    expect(this.log.rows.size).toBe(this.leases.size);
    for (const [id, { latestMs }] of this.leases) {
      expect(this.clock.nowMs(), "it ends in time").toBeLessThan(latestMs + LATE_MS);
      expect(lessor.timeToLive(id, true).keys).toEqual(this.keysOf(id));
    }
    for (let n = 0; n < 8; n++) {
      const key = `k${n}`;
      expect(lessor.leaseOf(key)).toBe(this.keys.get(key) ?? 0n);
    }
    const order = lessor.leases().map((id) => lessor.timeToLive(id, false).ttl);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }

  forget(id: bigint): void {
    this.leases.delete(id);
    for (const [key, of] of this.keys) if (of === id) this.keys.delete(key);
  }

  keysOf(id: bigint): string[] {
    return [...this.keys]
      .filter(([, of]) => of === id)
      .map(([key]) => key)
      .sort();
  }

  anyId(): bigint {
    return BigInt(this.chance.int(6)) - 7n;
  }

  anyKey(): string {
    return `k${this.chance.int(8)}`;
  }

  note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }
}

test.each([1, 2, 3, 4, 5, 6])("random lives keep every promise, seed %i", async (seed) => {
  const life = new Life(seed);
  for (let step = 0; step < 1500; step++) await life.step();
  for (const what of ["renewed", "unknown", "expired", "stopped", "killed"]) {
    expect(life.seen.get(what) ?? 0, what).toBeGreaterThan(20);
  }
});
