/**
 * Every operation on the disk fails once, in turn, somewhere in a whole store's life: writes, writes that are cut
 * short, syncs, opens, renames, removals, reads. Whatever it hit, the store says so, keeps everything that it
 * acknowledged, reads on, and is whole when it is opened again.
 *
 *   npm test                                                             some operations of each kind
 *   STRATA_FULL=1 npx vitest run test/crash/store-errors.test.ts         all of them, of more lives
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Strata, StrataError } from "../../src/index.ts";
import { fixedSyncPolicy } from "../../src/wal/sync-policy.ts";
import { ErrorDisk, type Fault } from "../support/error-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";
import { mustRecover, openTiny, workTogether } from "../support/store-life.ts";
import { OpSource, perform, type StoreOp } from "../support/store-ops.ts";
import { StoreWitness } from "../support/store-witness.ts";
import { thrownBy } from "../support/thrown-by.ts";

const full = process.env.STRATA_FULL === "1";
const seeds = process.env.STRATA_SEEDS?.split(",").map(Number) ?? (full ? [1, 2, 3] : [1]);
/** Of each kind, in a run that is not full. Of reads, which are many and much the same, ten times that in a full one. */
const SAMPLE = 14;

const SHAPE = { keys: 12, valueBytesMax: 2500, compactBack: 25, compactEvery: 15 };
const GROUPS = 24;
const LIVES = 2;
const CLOSE_MS = 10_000;

const PROBE: StoreOp = { kind: "put", id: 900_000, key: "k/0", value: "900000.0." };

type Kind = Pick<Fault, "operations" | "code" | "shortWrite">;

const KINDS: readonly Kind[] = [
  { operations: "write", code: "ENOSPC" },
  { operations: "write", code: "ENOSPC", shortWrite: true },
  { operations: "write", code: "EIO" },
  { operations: "sync", code: "EIO" },
  { operations: "sync-directory", code: "EIO" },
  { operations: ["open", "rename", "remove", "truncate", "folder"], code: "EIO" },
  { operations: "open", code: "ENOSPC" },
  { operations: "read", code: "EIO" },
];

/** Where the failure showed itself first. */
type Where = "nowhere" | "opening" | "write" | "next write" | "read" | "closing";

interface Outcome {
  readonly where: Where;
  /** Of the failed operation, as "sync member/wal/….wal". */
  readonly what: string | undefined;
}

async function live(disk: ErrorDisk, witness: StoreWitness, seed: number): Promise<Outcome> {
  const chance = rng(seed);
  const source = new OpSource(chance, SHAPE);
  const options = {
    cacheBytes: 0,
    syncPolicy: fixedSyncPolicy(seed % 2 === 0 ? "here" : "beside"),
    ...(seed % 2 === 1 && { writeBesideBytes: 1024 }),
  };
  for (let life = 0; life < LIVES; life++) {
    const clock = new ManualClock(life * 1_000_000);
    let store: Strata;
    try {
      store = await openTiny(disk, clock, options);
    } catch (error) {
      mustBeClear(error);
      expect(disk.failures).toBe(1);
      expect(disk.openFiles).toEqual([]);
      return { where: "opening", what: disk.failed[0] };
    }
    for (let group = 0; group < GROUPS; group++) {
      const ops = Array.from({ length: 1 + chance.int(4) }, () => source.next());
      const failed = await thrownBy(workTogether(store, clock, witness, ops));
      if (chance.bool(0.3)) await clock.advance(25);
      if (failed !== undefined) {
        mustBeFailed(failed);
        await mustGoOnReading(store, disk, witness);
        return { where: "write", what: disk.failed[0] };
      }
      const before = disk.failures;
      const unread = await thrownBy(read(store));
      if (unread !== undefined) {
        // A read that failed is one read.
        mustBeClear(unread);
        expect(disk.failures - before).toBe(1);
        expect(disk.failed[0]).toMatch(/^read /);
        if (store.status().failure === undefined) {
          await workTogether(store, clock, witness, [PROBE]);
          await store.member.abandon();
          return { where: "read", what: disk.failed[0] };
        }
      }
      if (disk.failures > 0) {
        // It hit nobody's write: then it hits the next one.
        await clock.advance(25);
        const failure = await thrownBy(workTogether(store, clock, witness, [PROBE]));
        if (failure === undefined) throw new Error(`nobody was told of a failed ${disk.failed}`);
        mustBeFailed(failure);
        await mustGoOnReading(store, disk, witness);
        return { where: "next write", what: disk.failed[0] };
      }
    }
    const unclosed = await thrownBy(inTime(store.close()));
    expect(disk.openFiles).toEqual([]);
    if (unclosed !== undefined) {
      mustBeClear(unclosed);
      return { where: "closing", what: disk.failed[0] };
    }
    if (disk.failures > 0) throw new Error(`nobody was told of a failed ${disk.failed}`);
  }
  return { where: "nowhere", what: undefined };
}

async function read(store: Strata): Promise<void> {
  await store.get("k/3");
  await store.rangeAll({ prefix: "k/" }, { limit: 5 });
}

function mustBeClear(error: unknown): void {
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(message).toMatch(/^[^\n]{10,300}$/);
  expect(message).toMatch(/ENOSPC|EIO/);
}

function mustBeFailed(error: unknown): void {
  mustBeClear(error);
  expect(error).toBeInstanceOf(StrataError);
  expect(error).toMatchObject({ code: "FAILED" });
  expect((error as Error).message).toMatch(/must be opened again/);
}

async function mustGoOnReading(
  store: Strata,
  disk: ErrorDisk,
  witness: StoreWitness,
): Promise<void> {
  expect(store.status().failure).toMatch(/ENOSPC|EIO/);
  const later: readonly (() => Promise<unknown>)[] = [
    () => perform(store, PROBE),
    () => store.delete("k/0"),
    () => store.delete({ prefix: "" }),
    () => store.lease.grant(600),
    () => store.compact(store.status().revision),
  ];
  for (const write of later) mustBeFailed(await thrownBy(write()));
  await witness.mustRead(store);
  const unclosed = await thrownBy(inTime(store.close()));
  if (unclosed !== undefined) mustBeClear(unclosed);
  expect(disk.openFiles).toEqual([]);
}

async function inTime(work: Promise<void>): Promise<void> {
  const late = sleep(CLOSE_MS, undefined, { ref: false }).then(() => {
    throw new Error("EIO close hangs");
  });
  await Promise.race([work, late]);
}

function nthOf(count: number, kind: Kind, seed: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i + 1);
  if (full && kind.operations !== "read") return all;
  return rng(seed)
    .shuffle(all)
    .slice(0, full ? SAMPLE * 10 : SAMPLE);
}

for (const seed of seeds) {
  for (const kind of KINDS) {
    const name = `${kind.code} at ${kind.shortWrite ? "half a write" : String(kind.operations)}`;
    test(`${name}, seed ${seed}: it is said, nothing is lost, reads go on`, {
      timeout: full ? 24 * 3_600_000 : 300_000,
    }, async () => {
      const calm = new ErrorDisk(new PowerCutDisk());
      await live(calm, new StoreWitness(), seed);
      const count = calm.count(kind);
      expect(count).toBeGreaterThan(5);
      const tally: Record<string, number> = {};
      for (const nth of nthOf(count, kind, seed)) {
        const inner = new PowerCutDisk();
        const disk = new ErrorDisk(inner, { ...kind, nth, lasts: "once" });
        const witness = new StoreWitness();
        try {
          const { where } = await live(disk, witness, seed);
          tally[where] = (tally[where] ?? 0) + 1;
          // Opened again, and after that the power is cut: what was acknowledged before is safe even so.
          const again = await openTiny(inner, new ManualClock());
          await again.member.abandon();
          await mustRecover(inner.reboot(rng(nth), "lose"), witness, nth);
        } catch (error) {
          const { message } = error as Error;
          throw new Error(`${name}, seed ${seed}, ${nth} (${disk.failed}): ${message}`, {
            cause: error,
          });
        }
      }
      console.info(`${name}, seed ${seed}: of ${count}`, tally);
      expect(tally.nowhere ?? 0).toBe(0);
    });
  }
}
