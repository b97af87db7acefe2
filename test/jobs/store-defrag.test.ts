/** A store that defragments its database while it is used, on the threads that a server has. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Strata } from "../../src/engine/strata.ts";
import { run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { RealEtcd } from "../support/real-etcd.ts";

async function filled(dir: string): Promise<Strata> {
  const store = await Strata.open({ dir }, { batchIntervalMs: 5 });
  const put = (i: number): Promise<unknown> => store.put(`k${i % 500}`, `${i} `.padEnd(2000, "x"));
  for (let i = 0; i < 4000; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, j) => put(i + j)));
  }
  await store.compact(store.status().revision, { physical: true });
  return store;
}

test("reads, writes, hashes and a snapshot go on over a defragmentation", async () => {
  const dir = join(scratchFolder("defrag"), "data");
  const db = join(dir, "member/snap/db");
  {
    await using store = await filled(dir);
    const before = { size: statSync(db).size, hash: await store.hashKv() };
    const snapshot = await store.snapshot();
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < 2; i++) pieces.push((await snapshot.next()).value as Uint8Array);

    let isOver = false;
    const defragmented = store.member.maintenance.defragment().finally(() => {
      isOver = true;
    });
    let written = 0;
    while (!isOver) {
      await store.put(`during${written++}`, "x");
      expect((await store.get("k7"))?.value.string()).toMatch(/^3507 x+$/);
    }
    await defragmented;
    expect(written).toBeGreaterThan(0);
    expect(statSync(db).size).toBeLessThan(before.size / 2);
    expect(await store.hashKv(before.hash.revision)).toEqual(before.hash);
    expect(await store.count({ prefix: "during" })).toBe(written);

    // Of the commit that it began with, in the file that has no name any more.
    for await (const piece of snapshot) pieces.push(piece);
    const all = Buffer.concat(pieces);
    const sum = createHash("sha256").update(all.subarray(0, -32)).digest();
    expect(all.subarray(-32).equals(sum)).toBe(true);
    const file = join(scratchFolder("defrag"), "before.db");
    writeFileSync(file, all);
    expect(await run("etcdutl", ["snapshot", "status", file])).toMatchObject({ code: 0 });

    await Promise.all([
      store.member.maintenance.defragment(),
      store.member.maintenance.defragment(),
    ]);
    await store.put("after", "x");
    expect(readdirSync(join(dir, "member/snap"))).toEqual(["db"]);
  }
  await using store = await Strata.open({ dir });
  expect((await store.get("after"))?.value.string()).toBe("x");
  expect(await store.count({ prefix: "k" })).toBe(500);
});

test("what a killed defragmentation left behind is swept away at the next start", async () => {
  const dir = join(scratchFolder("defrag"), "data");
  await (await filled(dir)).close();
  const leftover = join(dir, "member/snap/db.tmp.17");
  writeFileSync(leftover, "x");
  await using store = await Strata.open({ dir });
  expect(existsSync(leftover)).toBe(false);
  await store.member.maintenance.defragment();
});

test("the file stays locked while it is swapped, and after", async () => {
  const dir = join(scratchFolder("defrag"), "data");
  await using store = await filled(dir);
  expect(store.status().lockedBy).toBe("flock");
  await store.member.maintenance.defragment();
  await expect(Strata.open({ dir })).rejects.toMatchObject({ code: "LOCKED" });
});

describeWithPeers(
  "a real etcd and a database that was defragmented online",
  ["etcd", "etcdctl"],
  () => {
    test("serves it, also after a crash right behind", async () => {
      const dir = join(scratchFolder("defrag"), "data");
      const store = await filled(dir);
      await store.member.maintenance.defragment();
      await store.put("acknowledged", "x");
      await store.member.abandon();
      await using etcd = await RealEtcd.start({ dataDir: dir });
      expect(await etcd.etcdctl("get", "acknowledged", "--print-value-only")).toMatchObject({
        stdout: "x\n",
      });
      const { stdout } = await etcd.etcdctl("get", "k", "--prefix", "--keys-only");
      expect(stdout.match(/^k\d+$/gm)).toHaveLength(500);
    });
  },
);
