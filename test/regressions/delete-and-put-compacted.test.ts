/**
 * A transaction that deletes from a key on and then puts one of those keys ends a generation of it and begins the next,
 * both at one revision. A compaction at just that revision kept the tombstone of the one and gave up the put of the
 * other, which the index still had: every read of the key failed. (etcd since 3.4.34, 3.5.16 and 3.6 has this, too.)
 */
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { op, Strata } from "../../src/index.ts";

test("a key that was deleted and put at the compacted revision is there, also after a restart", async () => {
  const disk = new MemoryTree();
  const store = await Strata.open({ disk });
  await store.put("z", "1");
  const success = [op.delete({ start: "b" }), op.put("z", "2")];
  const { revision } = await store.txn({ success });
  await store.compact(revision, { physical: true });
  expect((await store.get("z"))?.value.string()).toBe("2");
  await store.put("z", "3");
  expect((await store.get("z", { revision }))?.value.string()).toBe("2");
  await store.close();
  await using again = await Strata.open({ disk });
  expect((await again.get("z", { revision }))?.value.string()).toBe("2");
  expect((await again.get("z"))?.value.string()).toBe("3");
});
