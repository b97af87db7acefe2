/** A whole store on a disk whose power is cut, and what is left of it. */
import { Strata, type StrataOptions } from "../../src/index.ts";
import { PowerCutDisk } from "./power-cut-disk.ts";
import { rng } from "./rng.ts";

const SURVIVALS = ["lose", "torn", "keep"] as const;

const SMALL: StrataOptions = {
  log: () => undefined,
  segmentBytes: 8192,
  batchLimit: 3,
  batchIntervalMs: 1,
  compactionBatchLimit: 4,
  compactionSleepMs: 0,
  snapshotCount: 25,
};

export interface CrashedStore {
  /** Opened again on what the power cut left. */
  readonly store: Strata;
  readonly cutAt: number;
}

/**
 * Runs `work` calmly once, and then again for some of its disk's events, where the power goes out. `begin` is done
 * before, with the power on for sure, and ends closed.
 * @param work  it is not told of the cut: calls reject. It has to note what was acknowledged
 */
export async function crashStores<T>(
  runs: number,
  begin: (store: Strata) => Promise<void>,
  work: (store: Strata) => Promise<T>,
  noted: () => T,
  look: (crashed: CrashedStore, acknowledged: T) => Promise<void>,
  more: StrataOptions = {},
): Promise<void> {
  const options = { ...SMALL, ...more };
  const start = new PowerCutDisk();
  const first = await Strata.open({ disk: start }, options);
  await begin(first);
  await first.close();
  const calm = start.crashClone(rng(1), "keep");
  const store = await Strata.open({ disk: calm }, options);
  const from = calm.events;
  await work(store);
  await store.close();
  const total = calm.events - from;
  for (let run = 0; run < runs; run++) {
    const cutAt = from + 1 + Math.floor((total * run) / runs);
    const disk = start.crashClone(rng(1), "keep", { cutAt, wholeSectors: true });
    const doomed = await Strata.open({ disk }, options).catch(() => undefined);
    if (doomed !== undefined) {
      await work(doomed).catch(() => undefined);
      await doomed.member.abandon().catch(() => undefined);
    }
    const left = disk.reboot(rng(run), SURVIVALS[run % 3] as (typeof SURVIVALS)[number]);
    const again = await Strata.open({ disk: left }, options);
    try {
      await look({ store: again, cutAt }, noted());
    } catch (error) {
      throw new Error(`power cut at event ${cutAt}, run ${run}`, { cause: error });
    }
    await again.close();
  }
}
