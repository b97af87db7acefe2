/** A store's life on a disk that tests break, small enough that everything rare happens in it several times. */

import type { DirectoryTree } from "../../native-free/file.ts";
import { nextTurn } from "../../src/base/turn.ts";
import { Strata, StrataError, type StrataOptions } from "../../src/index.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { ManualClock } from "./manual-clock.ts";
import { PowerCutError } from "./power-cut-disk.ts";
import { rng } from "./rng.ts";
import { OpSource, type StoreOp, tryPerform } from "./store-ops.ts";
import type { StoreWitness } from "./store-witness.ts";

export const TINY: StrataOptions = {
  selfMaintain: false,
  segmentBytes: 4096,
  snapshotCount: 12,
  batchIntervalMs: 20,
  batchLimit: 16,
  cacheBytes: 16_384,
  compactionBatchLimit: 12,
  compactionSleepMs: 5,
};

const SHAPE = { keys: 12, valueBytesMax: 2500, compactBack: 25, compactEvery: 30 };

/** Operations under way at once, at most. */
const TOGETHER = 4;

export interface LifeOptions {
  readonly seed: number;
  /** How often it is opened; in between it is closed, or killed. */
  readonly lives: number;
  /** Groups of operations in each. */
  readonly groups: number;
  readonly store?: StrataOptions;
}

export interface LifeEvents {
  readonly opened?: (store: Strata, clock: ManualClock) => void;
}

/**
 * Opens, works, closes or is killed, again and again. The same options do the same on the same disk.
 * @throws (rejects) the first thing that goes wrong; `witness` then says what may be found
 */
export async function liveStore(
  disk: DirectoryTree,
  witness: StoreWitness,
  options: LifeOptions,
  firstId = 1,
): Promise<void> {
  const chance = rng(options.seed);
  const source = new OpSource(chance, SHAPE, firstId);
  for (let life = 0; life < options.lives; life++) {
    const clock = new ManualClock(life * 1_000_000);
    const store = await openTiny(disk, clock, options.store);
    try {
      for (let group = 0; group < options.groups; group++) {
        const count = 1 + chance.int(TOGETHER);
        const ops = Array.from({ length: count }, () => source.next());
        await workTogether(store, clock, witness, ops);
        if (chance.bool(0.2)) await clock.advance(25);
      }
      if (life % 2 === 0) await store.close();
    } finally {
      await store.member.abandon().catch(mustBePowerCut);
    }
  }
}

export function openTiny(
  disk: DirectoryTree,
  clock: ManualClock,
  options: StrataOptions = {},
): Promise<Strata> {
  const silent = (): void => undefined;
  return Strata.open({ disk }, { clock, random: () => 0.5, log: silent, ...TINY, ...options });
}

/**
 * Performs operations at once, some of them while others are on their way to the disk, and tells the witness.
 * @throws (rejects) what the first that fails was answered with
 */
export async function workTogether(
  store: Strata,
  clock: ManualClock,
  witness: StoreWitness,
  ops: readonly StoreOp[],
): Promise<void> {
  let pending = ops.length;
  const work = ops.map(async (op, i) => {
    witness.asked(op);
    try {
      for (let turns = i % 4; turns > 0; turns--) await nextTurn();
      const ack = await tryPerform(store, op);
      if (ack === undefined) witness.refused(op.id);
      else witness.acknowledged(ack);
    } finally {
      pending--;
    }
  });
  const settled = Promise.allSettled(work);
  // Whatever sleeps has to be woken before they can end.
  while (pending > 0) await clock.advance(1);
  for (const outcome of await settled) if (outcome.status === "rejected") throw outcome.reason;
}

/** Nothing went wrong but that. @throws `error` */
export function mustBePowerCut(error: unknown): void {
  let cause = error;
  while (cause instanceof StrataError && cause.cause !== undefined) cause = cause.cause;
  if (!(cause instanceof PowerCutError)) throw error;
}

/** The check of the page file at rest. @throws Error with its first fault */
export function mustCheckClean(disk: DirectoryTree): void {
  const folder = disk.folder("member").folder("snap");
  const file = PageFile.open(folder.openFile("db", "read"), { readOnly: true });
  const { faults } = file.check();
  file.close();
  if (faults.length > 0) throw new Error(faults[0]?.what);
}

/**
 * What a start must find, and that the store is good for more: opens it, looks at everything, works on, and looks again
 * after another start.
 */
export async function mustRecover(
  disk: DirectoryTree,
  witness: StoreWitness,
  seed: number,
  options: StrataOptions = {},
): Promise<void> {
  const clock = new ManualClock();
  const store = await openTiny(disk, clock, options);
  try {
    await witness.mustHold(store);
    mustCheckClean(disk);
    const source = new OpSource(rng(seed), SHAPE, 1_000_000 + seed * 1000);
    const ops = Array.from({ length: 6 }, () => source.next());
    await workTogether(store, clock, witness, ops);
    await store.close();
  } finally {
    await store.member.abandon().catch(() => undefined);
  }
  mustCheckClean(disk);
  const again = await openTiny(disk, clock, options);
  try {
    await witness.mustHold(again);
  } finally {
    await again.member.abandon();
  }
}
