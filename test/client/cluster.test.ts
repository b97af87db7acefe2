/** A cluster of real etcds, whose members come and go: what is asked of it, and what goes on meanwhile. */
import { expect, test } from "vitest";
import { Client } from "../../src/client.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { RealCluster } from "../support/real-cluster.ts";

const FULL = process.env.STRATA_FULL === "1";
const KEYS = ["k0", "k1", "k2", "k3", "k4"];

describeWithPeers("a cluster of real etcds, by the client library", ["etcd"], () => {
  test("tells its members, and is led by another when it is told so", async () => {
    await using cluster = await RealCluster.start();
    await using client = new Client({ endpoints: cluster.endpoints });
    const members = await client.members.list();
    expect(members.map(({ name }) => name).sort()).toEqual(["m1", "m2", "m3"]);
    const { leader } = await client.status();
    const next = members.find(({ id }) => id !== leader);
    await client.moveLeader(next?.id ?? 0n);
    await expect.poll(async () => (await client.status()).leader).toBe(next?.id);
    await expect(client.moveLeader(1n)).rejects.toMatchObject({ code: "BAD_LEADER_TRANSFEREE" });
  });

  if (!FULL) return;

  test("its leader is killed: watches, leases and calls go on", async () => {
    await using cluster = await RealCluster.start();
    await using client = new Client({ endpoints: cluster.endpoints });
    const { leader } = await client.status();
    const [next] = (await client.members.list()).filter(({ id }) => id === leader);
    const watch = client.watch({ prefix: "k" });
    await watch.created;
    const held = await client.lease.hold(30);
    const leading = cluster.members.find(({ endpoint }) =>
      next?.clientUrls.some((url) => url.endsWith(endpoint)),
    );
    await leading?.stop("SIGKILL");
    const seen = new Set<string>();
    const seeing = (async () => {
      for await (const { events } of watch) {
        for (const { kv } of events) seen.add(kv.key.string());
        if (seen.size === KEYS.length) return;
      }
    })();
    for (const key of KEYS) {
      // Nobody leads for a moment: what was refused is written again, and does no harm twice.
      const written = (): Promise<boolean> =>
        client.put(key, "v").then(
          () => true,
          () => false,
        );
      await expect.poll(written, { timeout: 30_000 }).toBe(true);
    }
    await seeing;
    expect([...seen]).toEqual(KEYS);
    expect((await client.status()).leader).not.toBe(next?.id);
    expect(held.lost.reason).toBeUndefined();
    await held.release();
    const { revision } = await client.status();
    const living = cluster.members.filter((one) => one !== leading);
    const asked = living.map(({ endpoint }) => client.hashKv(revision, { endpoint }));
    const hashes = (await Promise.all(asked)).map(({ hash }) => hash);
    expect(hashes[0]).toBe(hashes[1]);
  });

  test("a learner is added, changed, not promoted yet, and removed", async () => {
    await using cluster = await RealCluster.start();
    await using client = new Client({ endpoints: cluster.endpoints });
    const peerUrl = "http://127.0.0.1:1";
    // etcd takes no changes of its members in its first five seconds.
    let id = 0n;
    const added = async (): Promise<unknown> => {
      try {
        const { member } = await client.members.add(peerUrl, { learner: true });
        id = member?.id ?? 0n;
        return [member?.isLearner, member?.peerUrls];
      } catch (error) {
        return error;
      }
    };
    await expect.poll(added, { timeout: 30_000, interval: 500 }).toEqual([true, [peerUrl]]);
    const changed = await client.members.update(id, ["http://127.0.0.1:2"]);
    expect(changed.find((one) => one.id === id)?.peerUrls).toEqual(["http://127.0.0.1:2"]);
    const early = client.members.promote(id);
    await expect(early).rejects.toMatchObject({ code: "LEARNER_NOT_READY" });
    expect((await client.members.remove(id)).length).toBe(3);
  });
});
