/** etcd #18089 and #19179: a watch from the compacted revision does not see the delete that was made at it. */
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { Strata } from "../../src/index.ts";

test.each(["a", { prefix: "" }])(
  "it is seen, also after a restart and a later put: watch of %j",
  async (keys) => {
    const disk = new MemoryTree();
    let store = await Strata.open({ disk });
    await store.put("a", "1");
    const { revision } = await store.delete("a");
    await store.put("a", "2");
    await store.compact(revision, { physical: true });
    for (let start = 0; start < 2; start++) {
      const seen: string[] = [];
      for await (const { events } of store.watch(keys, { startRevision: revision })) {
        seen.push(...events.map(({ type, kv }) => `${type} ${kv.key.string()}@${kv.modRevision}`));
        if (seen.length === 2) break;
      }
      expect(seen).toEqual([`delete a@${revision}`, `put a@${revision + 1n}`]);
      await store.close();
      store = await Strata.open({ disk });
    }
    await store.close();
  },
);
