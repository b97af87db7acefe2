/** A real etcd says the same of our data as we do, and takes our snapshots. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { op, Strata } from "../../src/index.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { etcdctl, RealEtcd } from "../support/real-etcd.ts";
import { rng } from "../support/rng.ts";

/** As `etcdctl endpoint hashkv` has it. */
async function hashKvOf(etcd: RealEtcd, revision: bigint): Promise<number> {
  const { stdout } = await etcd.etcdctl(
    "endpoint",
    "hashkv",
    "--rev",
    String(revision),
    "-w",
    "json",
  );
  const [{ HashKV }] = JSON.parse(stdout) as [{ HashKV: { hash: number } }];
  return HashKV.hash;
}

/** A history with everything in it that a hash may stumble over; compacted where a key was deleted. */
async function live(store: Strata): Promise<void> {
  const random = rng(7);
  const { id } = await store.lease.grant(3600);
  for (let i = 0; i < 400; i++) {
    const key = `key-${random.int(40)}`;
    if (random.bool(0.2)) await store.delete(key);
    else if (random.bool(0.1)) {
      await store.txn({
        success: [op.put(key, `${i}`), op.put("both", `${i}`), op.delete("other")],
      });
    } else {
      const value = "v".repeat(random.int(random.bool(0.05) ? 9000 : 90));
      await store.put(key, value, random.bool(0.1) ? { lease: id } : {});
    }
  }
  await store.put("gone", "v");
  const { revision } = await store.delete("gone");
  await store.put("key-1", "again");
  await store.compact(revision, { physical: true });
  for (let i = 0; i < 50; i++) await store.put(`key-${i}`, `later-${i}`);
  await store.delete({ prefix: "key-2" });
  await store.put("last", "");
}

/** At the current revision and some before it. */
async function hashesOf(store: Strata): Promise<Map<bigint, number>> {
  const hashes = new Map<bigint, number>();
  const { revision, compactedRevision } = store.status();
  for (let at = compactedRevision + 1n; at < revision; at += 9n) {
    hashes.set(at, (await store.hashKv(at)).hash);
  }
  hashes.set(revision, (await store.hashKv()).hash);
  expect(hashes.size).toBeGreaterThan(5);
  expect(new Set(hashes.values()).size).toBe(hashes.size);
  return hashes;
}

describeWithPeers("a real etcd", ["etcd", "etcdctl"], () => {
  test("has the same HashKV of our data dir at every revision", async () => {
    const dir = join(scratchFolder("hash-etcd"), "data");
    const store = await Strata.open({ dir });
    await live(store);
    const hashes = await hashesOf(store);
    await store.close();
    await using etcd = await RealEtcd.start({ dataDir: dir });
    for (const [revision, hash] of hashes) expect(await hashKvOf(etcd, revision)).toBe(hash);
  });

  test("has the same HashKV of a data dir that it wrote", async () => {
    const dir = join(scratchFolder("hash-by-etcd"), "data");
    const etcd = await RealEtcd.start({ dataDir: dir });
    for (let i = 0; i < 30; i++) await etcd.etcdctl("put", `key-${i % 7}`, `${i}`);
    await etcd.etcdctl("del", "key-3");
    await etcd.etcdctl("compaction", "20", "--physical");
    const hashes = new Map<bigint, number>();
    for (const at of [21n, 25n, 31n, 32n]) hashes.set(at, await hashKvOf(etcd, at));
    await etcd.stop();
    await using store = await Strata.open({ dir });
    for (const [at, hash] of hashes) {
      expect(await store.hashKv(at)).toEqual({ hash, revision: at, compactRevision: 20n });
    }
  });

  test("finds our snapshots sound, and restores them", async () => {
    const folder = scratchFolder("snapshot-etcd");
    const path = join(folder, "backup.db");
    const store = await Strata.open({ dir: join(folder, "data") });
    await live(store);
    const hashes = await hashesOf(store);
    const { revision } = await store.saveSnapshot(path);
    const hash = await store.hash();
    await store.close();

    const status = JSON.parse((await etcdctl("snapshot", "status", path, "-w", "json")).stdout) as {
      hash: number;
      revision: number;
      totalKey: number;
    };
    expect(status.revision).toBe(Number(revision));
    expect(status.hash).not.toBe(hash);

    const restored = join(folder, "restored");
    const restore = await etcdctl("snapshot", "restore", path, "--data-dir", restored);
    expect(restore.stderr + restore.stdout).not.toMatch(/error/i);
    await using etcd = await RealEtcd.start({
      dataDir: restored,
      name: "default",
    });
    for (const [at, expected] of hashes) expect(await hashKvOf(etcd, at)).toBe(expected);
  });
});
