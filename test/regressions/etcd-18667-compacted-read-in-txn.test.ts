/**
 * etcd #18667: a transaction that reads a compacted revision is refused by members that have compacted already, and
 * done by those that have not, so they differ from then on. Here the other member is the same one when it replays.
 */
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { op, Strata } from "../../src/index.ts";

test("it is refused as a whole, and again when the log is replayed", async () => {
  const disk = new MemoryTree();
  const store = await Strata.open({ disk });
  for (let i = 0; i < 5; i++) await store.put("a", `${i}`);
  // Both are logged while the compaction is on its way: nobody has looked at the revision yet.
  const compacted = store.compact(5);
  const success = [op.put("b", "1"), op.get("a", { revision: 3 })];
  await expect(store.txn({ success })).rejects.toThrow("required revision has been compacted");
  await compacted;
  await expect(store.txn({ success })).rejects.toThrow("required revision has been compacted");
  await expect(store.txn({ success: [op.get("a", { revision: 3 })] })).rejects.toThrow("compacted");
  await store.put("c", "1");
  await store.member.abandon();
  await using again = await Strata.open({ disk });
  expect([again.status().revision, await again.count({ prefix: "" })]).toEqual([7n, 2]);
  expect(await again.get("b")).toBeUndefined();
});
