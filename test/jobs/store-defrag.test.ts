/** A store that defragments its database while it is used, on the threads that a server has. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DefragReport } from "../../src/engine/defragmentation.ts";
import { type HashKvResponse, Strata } from "../../src/index.ts";
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

/** A mebibyte in use, and as much that is free. */
async function small(dir: string): Promise<Strata> {
  const store = await Strata.open({ dir }, { batchIntervalMs: 5 });
  const put = (i: number): Promise<unknown> => store.put(`k${i % 500}`, `${i} `.padEnd(2000, "x"));
  await Promise.all(Array.from({ length: 1000 }, (_, i) => put(i)));
  await store.compact(store.status().revision, { physical: true });
  return store;
}

/** Resolves once a defragmentation copies so slowly that much can happen before it is done. */
async function slowly(
  store: Strata,
  signal?: AbortSignal,
): Promise<{ readonly done: Promise<DefragReport>; readonly phases: Set<string> }> {
  const phases = new Set<string>();
  let begun: (() => void) | undefined;
  const copying = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const done = store.defragment({
    rateBytesPerSecond: 4_000_000,
    signal,
    onProgress: ({ phase, done: bytes }) => {
      phases.add(phase);
      if (phase === "copying" && bytes > 0) begun?.();
    },
  });
  done.catch(() => undefined);
  await Promise.race([copying, done]);
  return { done, phases };
}

test("one that is cancelled leaves the file and no litter; so does the store's end in the middle", async () => {
  const dir = join(scratchFolder("defrag"), "data");
  const snap = join(dir, "member/snap");
  const store = await small(dir);
  const { ino } = statSync(join(snap, "db"));
  const stop = new AbortController();
  const cancelled = await slowly(store, stop.signal);
  expect(readdirSync(snap)).toHaveLength(2);
  const reason = new Error("somebody has lost patience");
  stop.abort(reason);
  await expect(cancelled.done).rejects.toBe(reason);
  expect(readdirSync(snap)).toEqual(["db"]);
  await store.put("after", "x");

  const { done } = await slowly(store);
  const [job] = store.jobs.list();
  expect(job).toMatchObject({ kind: "defragmentation", phase: "copying" });
  await store.close();
  await expect(done).rejects.toMatchObject({ code: "CLOSED" });
  expect(readdirSync(snap)).toEqual(["db"]);
  expect(statSync(join(snap, "db")).ino).toBe(ino);
  await using again = await Strata.open({ dir });
  expect(await again.count({ prefix: "" })).toBe(501);
});

test("what is compacted, deleted, leased and put while it copies is in the new file, or not; with nothing to gain it is refused", async () => {
  const dir = join(scratchFolder("defrag"), "data");
  const db = join(dir, "member/snap/db");
  let hash: HashKvResponse;
  {
    await using store = await small(dir);
    const { done, phases } = await slowly(store);
    const { id } = await store.lease.grant(600);
    await Promise.all([
      store.put("k1", "other"),
      store.put("leased", "x", { lease: id }),
      store.delete({ prefix: "k2" }),
    ]);
    await store.compact(store.status().revision, { physical: true });
    expect(store.jobs.list().map(({ kind }) => kind)).toEqual(["defragmentation"]);
    const before = await store.hashKv();
    const report = await done;
    expect(report).toMatchObject({ outcome: "done", reason: undefined });
    expect(report.sizeAfterBytes).toBeLessThan(report.sizeBeforeBytes * 0.7);
    expect(report.rounds).toBeGreaterThanOrEqual(2);
    expect([...phases]).toEqual(expect.arrayContaining(["copying", "swapping"]));
    expect(await store.hashKv(before.revision)).toEqual(before);
    expect((await store.get("k1"))?.value.string()).toBe("other");
    expect(await store.count({ prefix: "k2" })).toBe(0);
    hash = await store.hashKv();

    expect(await store.defragment({ force: true })).toMatchObject({ outcome: "done" });
    const { ino } = statSync(db);
    const refused = await store.defragment();
    expect(refused).toMatchObject({ outcome: "refused", longestPauseMs: 0, rounds: 0 });
    expect(refused.reason).toMatch(/^nothing worth gaining: \d+ bytes would become \d+$/);
    expect(statSync(db).ino).toBe(ino);
  }
  await using store = await Strata.open({ dir });
  expect(await store.hashKv(hash.revision)).toEqual(hash);
  expect((await store.lease.list()).length).toBe(1);
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
