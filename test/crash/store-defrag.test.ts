/** The power goes out while a store defragments its database: the old file or the new one is there, with all that was acknowledged. */
import { expect, test } from "vitest";
import type { Strata } from "../../src/index.ts";
import { crashStores } from "../support/crashed-store.ts";

const full = process.env.STRATA_FULL === "1";

async function fill(store: Strata): Promise<void> {
  for (let i = 0; i < 60; i++) await store.put(`k${i}`, `${i} `.padEnd(700, "x"));
  await store.delete({ prefix: "k1" });
  await store.compact(store.status().revision, { physical: true });
}

test("power cut in a defragmentation", { timeout: full ? 3_600_000 : 120_000 }, async () => {
  let acknowledged: string[] = [];
  let done = 0;
  const work = async (store: Strata): Promise<void> => {
    acknowledged = [];
    const put = async (i: number): Promise<void> => {
      const key = `later${i}`;
      await store.put(key, `${i}`);
      acknowledged.push(key);
    };
    await put(0);
    const defragmented = store.member.maintenance.defragment();
    const puts = [1, 2, 3, 4].map(put);
    await Promise.all([defragmented, ...puts]);
    done++;
    for (let i = 5; i < 8; i++) await put(i);
    await store.member.maintenance.defragment();
    await put(8);
  };
  await crashStores(
    full ? 2000 : 90,
    fill,
    async (store) => {
      await work(store);
      return acknowledged;
    },
    () => acknowledged,
    async ({ store }, keys) => {
      expect(await store.count({ prefix: "k" })).toBe(49);
      for (const key of keys)
        expect((await store.get(key))?.value.string(), key).toBe(key.slice(5));
      await store.put("again", "and again");
      await store.member.maintenance.defragment();
      expect((await store.get("k0"))?.value.string()).toMatch(/^0 x+$/);
      expect(await store.count({ prefix: "k" })).toBe(49);
    },
  );
  expect(done).toBeGreaterThan(0);
});
