/** etcd #17780: after a crash in a compaction of everything, a member comes back at a smaller revision. */
import { expect, test } from "vitest";
import type { Strata } from "../../src/index.ts";
import { crashStores } from "../support/crashed-store.ts";

/** The last revisions are deletes, so a compaction at the current one leaves no record. */
async function fillAndDelete(store: Strata): Promise<void> {
  for (let i = 0; i < 20; i++) await store.put(`k${i % 4}`, `${i}`);
  await store.delete({ prefix: "k" });
}

test.each([
  ["everything deleted", 0n],
  ["with something left", 4n],
])("a power cut in a compaction does not bring the revision back: %s", async (_, before) => {
  let acked = { revision: 22n, compacted: -1n };
  await crashStores(
    70,
    fillAndDelete,
    async (store) => {
      acked = { revision: 22n, compacted: -1n };
      const at = 22n - before;
      await store.compact(at);
      acked = { revision: 22n, compacted: at };
      for (let i = 0; i < 3; i++) {
        const { revision } = await store.put("new", `${i}`);
        acked = { ...acked, revision };
      }
      await store.compact(acked.revision, { physical: true });
      acked = { ...acked, compacted: acked.revision };
      return acked;
    },
    () => acked,
    async ({ store }) => {
      const { revision, compactedRevision } = store.status();
      expect(revision).toBeGreaterThanOrEqual(acked.revision);
      expect(revision).toBeLessThanOrEqual(acked.revision + 1n);
      expect(compactedRevision).toBeGreaterThanOrEqual(acked.compacted);
      if (acked.compacted > 1n) {
        await expect(store.get("k0", { revision: acked.compacted - 1n })).rejects.toThrow(
          "required revision has been compacted",
        );
      }
      const low = compactedRevision < 1n ? 1n : compactedRevision;
      for (let at = low; at <= revision; at++) {
        const expected = at >= 22n ? 0 : Math.min(4, Number(at) - 1);
        expect(await store.count({ prefix: "k" }, { revision: at })).toBe(expected);
      }
      expect((await store.put("next", "1")).revision).toBe(revision + 1n);
      await store.compact(revision + 1n, { physical: true });
      expect(await store.count({ prefix: "" })).toBe((await store.get("new")) ? 2 : 1);
    },
  );
});
