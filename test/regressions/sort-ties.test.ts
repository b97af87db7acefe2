/** Sorted downwards, keys that are the same in what is sorted by came in the reverse of their order. */
import { expect, test } from "vitest";
import { op, Strata } from "../../src/index.ts";

test("ties are in key order, upwards and downwards", async () => {
  await using store = await Strata.open({ memory: true });
  await store.txn({ success: [op.put("c", "1"), op.put("a", "1"), op.put("b", "1")] });
  for (const sortBy of ["version", "create", "mod", "value"] as const) {
    for (const order of ["ascend", "descend"] as const) {
      const { kvs } = await store.rangeAll({ prefix: "" }, { sortBy, order });
      expect(kvs.map(({ key }) => key.string())).toEqual(["a", "b", "c"]);
    }
  }
});
