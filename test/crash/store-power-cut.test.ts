/**
 * The power is cut at every write, sync, cut, rename, removal of a whole store's life in turn, and again while it
 * recovers. Whatever was not synced is kept, lost or torn.
 *
 *   npm test                                                                  some events
 *   STRATA_FULL=1 npx vitest run test/crash/store-power-cut.test.ts           every event of more lives
 *   STRATA_SEEDS=7 STRATA_FULL=1 npx vitest run test/crash/store-power-cut.test.ts
 */
import { expect, test } from "vitest";
import type { StrataOptions } from "../../src/index.ts";
import { fixedSyncPolicy } from "../../src/wal/sync-policy.ts";
import { PowerCutDisk, type Survival } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";
import { type LifeOptions, liveStore, mustBePowerCut, mustRecover } from "../support/store-life.ts";
import { StoreWitness } from "../support/store-witness.ts";

const full = process.env.STRATA_FULL === "1";
const seeds =
  process.env.STRATA_SEEDS?.split(",").map(Number) ?? (full ? [1, 2, 3, 4, 5, 6] : [1, 2]);
/** In a run that is not full. */
const SAMPLE = 50;

const OUTCOMES: readonly Survival[] = full ? ["keep", "lose", "torn", "torn"] : ["lose", "torn"];

const MACHINES: readonly { readonly name: string; readonly store: StrataOptions }[] = [
  { name: "synced here", store: { syncPolicy: fixedSyncPolicy("here") } },
  {
    name: "synced beside, long batches written beside",
    store: { syncPolicy: fixedSyncPolicy("beside"), writeBesideBytes: 1024 },
  },
];

async function liveUntilCut(
  disk: PowerCutDisk,
  witness: StoreWitness,
  options: LifeOptions,
  firstId?: number,
): Promise<void> {
  try {
    await liveStore(disk, witness, options, firstId);
  } catch (error) {
    mustBePowerCut(error);
  }
}

/** Every event, or some: the same ones for the same seed. */
function cutsOf(events: number, seed: number): number[] {
  const all = Array.from({ length: events }, (_, i) => i + 1);
  return full ? all : rng(seed).shuffle(all).slice(0, SAMPLE);
}

for (const seed of seeds) {
  const { name, store } = MACHINES[seed % MACHINES.length] as (typeof MACHINES)[number];
  const life = { seed, lives: 3, groups: 24, store };
  const again = { seed: seed + 500, lives: 1, groups: 4, store };

  test(`power cut at ${full ? "every event" : `${SAMPLE} events`} of a store's life, seed ${seed}, ${name}`, {
    timeout: full ? 24 * 3_600_000 : 300_000,
  }, async () => {
    const calm = new PowerCutDisk();
    await liveStore(calm, new StoreWitness(), life);
    const log = calm.describeLog();
    // Everything that is rare happens in it.
    for (const what of [
      /rename member\/wal\/cut\.tmp/,
      /remove member\/wal\/[0-9a-f-]+\.wal/,
      /rename member\/snap\/db\.tmp\.snap-file/,
      /remove member\/snap\/[0-9a-f-]+\.snap/,
      /sync member\/snap\/db/,
    ]) {
      expect(log).toMatch(what);
    }
    let outcomes = 0;
    let secondCuts = 0;
    for (const cutAt of cutsOf(calm.events, seed)) {
      const disk = new PowerCutDisk({ cutAt, wholeSectors: true });
      const witness = new StoreWitness();
      await liveUntilCut(disk, witness, life);
      for (const [i, survival] of OUTCOMES.entries()) {
        const chance = rng(seed * 100_000 + cutAt * 10 + i);
        const where = `seed ${seed}, cut at ${cutAt}, ${survival} ${i}`;
        try {
          await mustRecover(disk.reboot(chance, survival), witness.clone(), cutAt, store);
          // Once more, while it recovers or soon after.
          const later = 1 + chance.int(40);
          const second = disk.reboot(chance, survival, { cutAt: later, wholeSectors: true });
          const both = witness.clone();
          await liveUntilCut(second, both, again, 500_000);
          if (second.events >= later) secondCuts++;
          await mustRecover(second.reboot(chance, survival), both, cutAt, store);
        } catch (error) {
          const { message } = error as Error;
          throw new Error(`${where}: ${message}`, { cause: error });
        }
        outcomes += 2;
      }
    }
    console.info(`seed ${seed}, ${name}: ${calm.events} events, ${outcomes} outcomes`);
    expect(secondCuts).toBeGreaterThan(outcomes / 4);
  });
}
