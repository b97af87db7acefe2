/** The power goes out while members come and go: who was acknowledged is there, who was removed is not. */
import { expect, test } from "vitest";
import type { Strata } from "../../src/index.ts";
import { crashStores } from "../support/crashed-store.ts";

const full = process.env.STRATA_FULL === "1";

interface Noted {
  /** Ids that were acknowledged as added, or as removed. */
  readonly added: Set<bigint>;
  readonly removed: Set<bigint>;
  /** Ids whose change was asked for and not answered. */
  readonly open: Set<bigint>;
}

test("power cut while learners come and go", { timeout: full ? 3_600_000 : 120_000 }, async () => {
  let noted: Noted;
  const work = async (store: Strata): Promise<Noted> => {
    noted = { added: new Set(), removed: new Set(), open: new Set() };
    const { members } = store.member;
    for (let i = 1; i <= 4; i++) {
      const { id } = await members.add([`http://127.0.0.1:${i}`], true);
      noted.added.add(id);
      await store.put("k", `${i}`);
      await members.update(id, [`http://127.0.0.1:${100 + i}`]);
      for (let j = 0; j < 10; j++) await store.put("k", `${j}`);
      noted.open.add(id);
      await members.remove(id);
      noted.removed.add(id);
    }
    return noted;
  };
  let looked = 0;
  await crashStores(
    full ? 2000 : 80,
    async (store) => {
      await store.put("k", "0");
    },
    work,
    () => noted,
    async ({ store }, { added, removed, open }) => {
      const { members, cluster } = store.member;
      const ids = members.list().map(({ id }) => id);
      expect(ids).toContain(cluster.localId);
      for (const id of added) if (!open.has(id)) expect(ids).toContain(id);
      for (const id of removed) {
        expect(ids).not.toContain(id);
        expect(cluster.isRemoved(id)).toBe(true);
      }
      // What the log says of them is what the page file says.
      expect(cluster.confState().learners).toEqual(ids.filter((id) => id !== cluster.localId));
      for (const id of cluster.confState().learners) await members.remove(id);
      await members.add(["http://127.0.0.1:9"], true);
      looked++;
    },
  );
  expect(looked).toBeGreaterThan(50);
});
