/**
 * The power goes out while a store defragments its database, which is written, deleted from and compacted meanwhile:
 * the old file or the new one is there, with all that was acknowledged. See store-maintenance.test.ts for disks that
 * fail, and for all long work at once.
 */
import { expect, test } from "vitest";
import type { Strata } from "../../src/index.ts";
import { crashStores } from "../support/crashed-store.ts";

const full = process.env.STRATA_FULL === "1";

async function fill(store: Strata): Promise<void> {
  for (let i = 0; i < 60; i++) await store.put(`k${i}`, `${i} `.padEnd(700, "x"));
  await store.delete({ prefix: "k1" });
  await store.compact(store.status().revision, { physical: true });
}

/** Slow enough for some commits between two slices of the copying. */
const RATE = { force: true, rateBytesPerSecond: 2_000_000 };

/** What was acknowledged of each key; the one that is asked for just now may be one or the other. */
class Witness {
  readonly values = new Map<string, string | undefined>();
  readonly doubtful = new Set<string>();
  done = 0;

  async put(store: Strata, key: string, value: string, lease?: bigint): Promise<void> {
    this.doubtful.add(key);
    await store.put(key, value, lease === undefined ? {} : { lease });
    this.values.set(key, value);
    this.doubtful.delete(key);
  }

  async remove(store: Strata, key: string): Promise<void> {
    this.doubtful.add(key);
    await store.delete(key);
    this.values.set(key, undefined);
    this.doubtful.delete(key);
  }
}

async function work(store: Strata, witness: Witness): Promise<void> {
  const defragmented = store.defragment(RATE);
  // The first to notice that the power is out is whoever writes next.
  defragmented.catch(() => undefined);
  const { id } = await store.lease.grant(600);
  for (let i = 0; i < 8; i++) {
    await Promise.all([
      witness.put(store, `n${i}`, `${i}`),
      witness.put(store, `k${20 + (i % 5)}`, `${i} `.padEnd(300, "y")),
      witness.put(store, `leased${i % 3}`, `${i}`, id),
    ]);
    if (i % 3 === 2) await witness.remove(store, `n${i - 1}`);
    if (i === 4) await store.compact(store.status().revision, { physical: true });
  }
  await defragmented;
  witness.done++;
  await witness.put(store, "between", "1");
  await Promise.all([store.defragment(RATE), witness.put(store, "n0", "again")]);
  await witness.put(store, "last", "1");
}

test("power cut in a defragmentation", { timeout: full ? 3_600_000 : 120_000 }, async () => {
  let witness = new Witness();
  let done = 0;
  let found = 0;
  await crashStores(
    full ? 2000 : 14,
    fill,
    async (store) => {
      witness = new Witness();
      try {
        await work(store, witness);
      } finally {
        done += witness.done;
      }
      return witness;
    },
    () => witness,
    async ({ store }, { values, doubtful }) => {
      const hash = await store.hashKv();
      for (const [key, value] of values) {
        if (doubtful.has(key)) continue;
        expect((await store.get(key))?.value.string(), key).toBe(value);
        found++;
      }
      expect((await store.get("k59"))?.value.string()).toMatch(/^59 x+$/);
      await store.defragment({ force: true });
      expect(await store.hashKv(hash.revision)).toEqual(hash);
      await store.put("again", "and again");
    },
  );
  expect(done).toBeGreaterThan(0);
  expect(found).toBeGreaterThan(20);
});
