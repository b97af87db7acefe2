/**
 * Defragmentation, compaction, snapshots, hashes, members and alarms all at once: the power is cut at every write,
 * sync, rename, removal in turn; and every operation on the disk fails once.
 *
 *   npm test                                                               some events
 *   STRATA_FULL=1 npx vitest run test/crash/store-maintenance.test.ts      every event of more lives
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Strata, StrataError } from "../../src/index.ts";
import { fixedSyncPolicy } from "../../src/wal/sync-policy.ts";
import { ErrorDisk, type Fault } from "../support/error-disk.ts";
import {
  liveMaintained,
  type MaintainedOptions,
  MaintainedWitness,
  mustHaveNoLitter,
  rootOf,
  together,
  workMaintained,
} from "../support/maintained-life.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk, type Survival } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";
import { mustBePowerCut, openTiny } from "../support/store-life.ts";
import { OpSource, type StoreOp } from "../support/store-ops.ts";
import { thrownBy } from "../support/thrown-by.ts";

const full = process.env.STRATA_FULL === "1";
const timeout = full ? 24 * 3_600_000 : 300_000;
const seeds = process.env.STRATA_SEEDS?.split(",").map(Number) ?? (full ? [1, 2, 3, 4] : [1]);

const OUTCOMES: readonly Survival[] = full ? ["keep", "lose", "torn", "torn"] : ["lose", "torn"];

/** Of a run that is not full: cuts, and failures of each kind. */
const CUTS = 6;
const FAILURES = 2;

function some(count: number, sample: number, seed: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i + 1);
  return rng(seed).shuffle(all).slice(0, sample);
}

for (const seed of seeds) {
  const policy = fixedSyncPolicy(seed % 2 === 0 ? "here" : "beside");
  const store = { syncPolicy: policy };
  const life: MaintainedOptions = { seed, lives: 2, groups: full ? 20 : 12, store };
  const again: MaintainedOptions = { seed: seed + 500, lives: 1, groups: 3, store };

  test(`power cut at ${full ? "every event" : `${CUTS} events`} of maintenance under a load, seed ${seed}`, {
    timeout,
  }, async () => {
    const calm = new PowerCutDisk();
    await liveMaintained(calm, new MaintainedWitness(), life);
    const log = calm.describeLog();
    // Everything that is rare happens in it.
    for (const what of [/rename member\/snap\/db\.tmp\.\d+/, /rename backups\//]) {
      expect(what.test(log), String(what)).toBe(true);
    }
    let outcomes = 0;
    for (const cutAt of some(calm.events, full ? calm.events : CUTS, seed)) {
      const disk = new PowerCutDisk({ cutAt, wholeSectors: true });
      const witness = new MaintainedWitness();
      await liveMaintained(disk, witness, life).catch(mustBePowerCut);
      for (const [i, survival] of OUTCOMES.entries()) {
        const chance = rng(seed * 100_000 + cutAt * 10 + i);
        try {
          const left = disk.reboot(chance, survival);
          await new MaintainedWitness(witness).mustRecover(left, cutAt, store);
          // Once more, while it recovers or soon after.
          const later = 1 + chance.int(60);
          const second = disk.reboot(chance, survival, { cutAt: later, wholeSectors: true });
          const both = new MaintainedWitness(witness);
          await liveMaintained(second, both, again, 500_000).catch(mustBePowerCut);
          await both.mustRecover(second.reboot(chance, survival), cutAt, store);
        } catch (error) {
          const { message } = error as Error;
          throw new Error(
            `cut at ${cutAt} (${calm.describeLog().split("\n")[cutAt - 1]}), ${survival} ${i}: ${message}`,
            {
              cause: error,
            },
          );
        }
        outcomes += 2;
      }
    }
    console.info(`seed ${seed}: ${calm.events} events, ${outcomes} outcomes`);
    expect(outcomes).toBeGreaterThan(CUTS);
  });
}

type Kind = Pick<Fault, "operations" | "code" | "shortWrite">;

const KINDS: readonly Kind[] = [
  { operations: "write", code: "ENOSPC", shortWrite: true },
  { operations: "write", code: "EIO" },
  { operations: "sync", code: "EIO" },
  { operations: ["sync-directory", "open", "rename", "remove", "truncate"], code: "EIO" },
  { operations: "open", code: "ENOSPC" },
  { operations: "read", code: "EIO" },
];

const PROBE: StoreOp = { kind: "put", id: 900_000, key: "k/0", value: "900000.0." };
const AFTER: StoreOp = { ...PROBE, id: 900_001, key: "k/1", value: "900001.0." };
const CLOSE_MS = 10_000;

interface Outcome {
  /** What became of it. */
  readonly kind:
    | "nothing failed"
    | "refused, and went on"
    | "failed, and read on"
    | "did not open"
    | "did not close";
}

/** Lives until something fails; then it must either go on as if nothing had been, or say that it cannot. */
async function liveUntilFailure(
  disk: ErrorDisk,
  witness: MaintainedWitness,
  { seed, lives, groups, store: options = {} }: MaintainedOptions,
): Promise<Outcome> {
  const chance = rng(seed);
  const source = new OpSource(chance, {
    keys: 12,
    valueBytesMax: 2500,
    compactBack: 25,
    compactEvery: 12,
  });
  for (let i = 0; i < lives; i++) {
    const clock = new ManualClock(i * 1_000_000);
    let store: Strata;
    try {
      store = await openTiny(disk, clock, { cacheBytes: 0, ...options });
    } catch (error) {
      mustBeClear(error);
      expect(disk.openFiles).toEqual([]);
      return { kind: "did not open" };
    }
    for (let group = 0; group < groups; group++) {
      let failure: unknown;
      try {
        await workMaintained(store, disk, clock, witness, source, chance);
      } catch (error) {
        failure = error;
      }
      for (const trouble of witness.troubles) mustBeClear(trouble);
      if (disk.failures === 0) continue;
      if (failure === undefined) failure = await thrownBy(probe(store, clock, witness));
      return await mustGoOn(store, disk, clock, witness, failure);
    }
    const unclosed = await thrownBy(inTime(store.close()));
    expect(disk.openFiles).toEqual([]);
    if (unclosed !== undefined) {
      mustBeClear(unclosed);
      return { kind: "did not close" };
    }
  }
  return { kind: "nothing failed" };
}

async function probe(store: Strata, clock: ManualClock, witness: MaintainedWitness): Promise<void> {
  // Later than whatever was on its way.
  await clock.advance(30);
  if (witness.isAlarmed) await together(clock, [witness.disarm(store)]);
  await together(clock, [witness.perform(store, PROBE)]);
  await clock.advance(30);
}

async function mustGoOn(
  store: Strata,
  disk: ErrorDisk,
  clock: ManualClock,
  witness: MaintainedWitness,
  failure: unknown,
): Promise<Outcome> {
  if (store.status().failure === undefined) {
    // It hit long work only, or one read: then all of it works the next time.
    if (failure !== undefined) mustBeClear(failure);
    if (witness.isAlarmed) await together(clock, [witness.disarm(store)]);
    await together(clock, [witness.perform(store, AFTER), store.defragment({ force: true })]);
    mustHaveNoLitter(disk);
    await inTime(store.member.abandon());
    expect(disk.openFiles).toEqual([]);
    return { kind: "refused, and went on" };
  }
  expect(store.status().failure).toMatch(/ENOSPC|EIO/);
  const later: readonly (() => Promise<unknown>)[] = [
    () => store.put("k/0", "x"),
    () => store.lease.grant(600),
    () => store.defragment({ force: true }),
  ];
  for (const write of later) {
    const told = await thrownBy(together(clock, [write()]));
    mustBeClear(told);
    expect(told).toMatchObject({ code: "FAILED" });
  }
  await witness.ops.mustRead(store);
  const unclosed = await thrownBy(inTime(store.close()));
  if (unclosed !== undefined) mustBeClear(unclosed);
  expect(disk.openFiles).toEqual([]);
  return { kind: "failed, and read on" };
}

function mustBeClear(error: unknown): void {
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(message).toMatch(/^[^\n]{10,400}$/);
  const root = rootOf(error);
  expect(`${message} ${root instanceof Error ? root.message : ""}`).toMatch(/ENOSPC|EIO/);
  if (error instanceof StrataError && error.code === "FAILED") {
    expect(message).toMatch(/must be opened again|not durably/);
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  const late = sleep(CLOSE_MS, undefined, { ref: false }).then(() => {
    throw new Error("it hangs");
  });
  await Promise.race([work, late]);
}

for (const seed of seeds) {
  for (const kind of KINDS) {
    const name = `${kind.code} at ${kind.shortWrite ? "half a write" : String(kind.operations)}`;
    test(`${name} under maintenance, seed ${seed}: it is said, nothing is lost, the rest goes on`, {
      timeout,
    }, async () => {
      const life = { seed, lives: 2, groups: 12, store: { syncPolicy: fixedSyncPolicy("here") } };
      const calm = new ErrorDisk(new PowerCutDisk());
      await liveUntilFailure(calm, new MaintainedWitness(), life);
      const count = calm.count(kind);
      expect(count).toBeGreaterThan(5);
      const tally: Record<string, number> = {};
      const reads = kind.operations === "read" ? 200 : count;
      for (const nth of some(count, full ? reads : FAILURES, seed)) {
        const inner = new PowerCutDisk();
        const disk = new ErrorDisk(inner, { ...kind, nth, lasts: "once" });
        const witness = new MaintainedWitness();
        try {
          const { kind: became } = await liveUntilFailure(disk, witness, life);
          tally[became] = (tally[became] ?? 0) + 1;
          const left = inner.reboot(rng(nth), became === "failed, and read on" ? "keep" : "lose");
          await witness.mustRecover(left, nth, {});
        } catch (error) {
          const { message } = error as Error;
          throw new Error(`${name}, ${nth} of ${count} (${disk.failed}): ${message}`, {
            cause: error,
          });
        }
      }
      console.info(`${name}, seed ${seed}: of ${count}`, tally);
      // How much is read and written depends a little on what comes first.
      expect(tally["nothing failed"] ?? 0).toBeLessThan(3);
    });
  }
}
