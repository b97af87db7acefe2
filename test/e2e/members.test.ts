/** Changes of the members that we make are a real etcd's, too, and its are ours. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { Strata, type StrataOptions } from "../../src/engine/strata.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { RealEtcd } from "../support/real-etcd.ts";

const shown = ({ member: { members } }: Strata): string[] =>
  members
    .list()
    .map(
      ({ id, name, peerUrls, isLearner }) =>
        `${id.toString(16)}, ${name === "" ? "unstarted" : "started"}, ${name}, ${peerUrls.join()}, ${isLearner}`,
    )
    .sort();

async function shownBy(etcd: RealEtcd): Promise<string[]> {
  const { code, stdout, stderr } = await etcd.etcdctl("member", "list");
  expect([code, stderr]).toEqual([0, ""]);
  // Without the client URLs: it says its own at every start.
  const columns = (line: string): string[] => line.split(", ").filter((_, i) => i !== 4);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => columns(line).join(", "))
    .sort();
}

async function done(etcd: RealEtcd, ...args: readonly string[]): Promise<void> {
  expect(await etcd.etcdctl(...args)).toMatchObject({ code: 0 });
}

/** Enough for a snapshot or two, if they are so frequent. */
async function puts(store: Strata): Promise<void> {
  for (let i = 0; i < 250; i++) await store.put("k", `${i}`);
  await store.member.backend.commit();
}

const learner = (port: number): string[] => [`http://127.0.0.1:${port}`];

describeWithPeers("members between us and a real etcd", ["etcd", "etcdctl"], () => {
  const variants: readonly (readonly [string, StrataOptions, readonly string[]])[] = [
    ["in the log", {}, []],
    ["in snapshots", { snapshotCount: 50, batchIntervalMs: 5 }, ["--snapshot-count=10"]],
  ];
  test.each(variants)("%s", { timeout: 120_000 }, async (_, options, flags) => {
    const dir = join(scratchFolder("members"), "data");
    let ours: string[];
    let first: bigint;
    {
      await using store = await Strata.open({ dir }, { ...options, name: "n1" });
      await puts(store);
      ({ id: first } = await store.member.members.add(learner(24855), true));
      await puts(store);
      ours = shown(store);
      expect(ours).toHaveLength(2);
    }
    let theirs: string[];
    {
      await using etcd = await RealEtcd.start({ dataDir: dir, flags });
      expect(await shownBy(etcd)).toEqual(ours);
      for (let i = 0; i < 15; i++) await done(etcd, "put", "k", `${i}`);
      await done(etcd, "member", "remove", first.toString(16));
      await done(etcd, "member", "add", "l2", "--learner", `--peer-urls=${learner(24856)}`);
      for (let i = 0; i < 15; i++) await done(etcd, "put", "k", `${i}`);
      theirs = await shownBy(etcd);
      await etcd.stop();
      expect(etcd.stderr).not.toMatch(/panic|"level":"(fatal|error)"/);
    }
    {
      await using store = await Strata.open({ dir }, { ...options, name: "n1" });
      expect(shown(store)).toEqual(theirs);
      const { members, cluster } = store.member;
      expect(cluster.isRemoved(first)).toBe(true);
      await members.update(cluster.localId, learner(24801));
      const second = members.list().find(({ isLearner }) => isLearner)?.id ?? 0n;
      await members.remove(second);
      await puts(store);
      await members.add(learner(24857), true);
      ours = shown(store);
      expect(ours).toHaveLength(2);
      // As a crash would leave it.
      await store.member.abandon();
    }
    await using etcd = await RealEtcd.start({ dataDir: dir, flags });
    expect(await shownBy(etcd)).toEqual(ours);
    await done(etcd, "put", "k", "last");
  });
});
