/** etcd #14370 and #13766: a single member that is killed under load loses an acknowledged write, or its revision. */
import { expect, test } from "vitest";
import type { Strata } from "../../src/index.ts";
import { crashStores } from "../support/crashed-store.ts";

const CALLERS = 6;

test("every acknowledged put is there after a power cut, at its revision, and revisions have no gap", async () => {
  let acked = new Map<bigint, string>();
  let looked = 0;
  const load = async (store: Strata): Promise<Map<bigint, string>> => {
    acked = new Map();
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let i = 0; i < 12; i++) {
        const value = `${caller}-${i}-${"x".repeat(i * 40)}`;
        const { revision } = await store.put(`k${caller}`, value);
        acked.set(revision, value);
      }
    });
    await Promise.all(callers.map((one) => one.catch(() => undefined)));
    return acked;
  };
  await crashStores(
    60,
    async (store) => void (await store.put("k0", "begun")),
    load,
    () => acked,
    async ({ store }) => {
      const { revision } = store.status();
      const top = [...acked.keys()].reduce((max, at) => (at > max ? at : max), 2n);
      expect(revision).toBeGreaterThanOrEqual(top);
      // What was under way may have come about, but no more than the callers had under way.
      expect(revision).toBeLessThanOrEqual(top + BigInt(CALLERS));
      for (const [at, value] of acked) {
        const { kvs } = await store.rangeAll({ prefix: "" }, { revision: at, minModRevision: at });
        expect(kvs.map((kv) => kv.value.string())).toEqual([value]);
        looked++;
      }
      for (let at = 2n; at <= revision; at++) {
        const { kvs } = await store.rangeAll({ prefix: "k" }, { revision: at, minModRevision: at });
        expect(kvs.length).toBe(1);
      }
      expect((await store.put("next", "1")).revision).toBe(revision + 1n);
    },
  );
  expect(looked).toBeGreaterThan(100);
});
