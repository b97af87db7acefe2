import { expect, test } from "vitest";
import { describeWithPeers } from "./describe-with-peers.ts";
import { planCluster, RealCluster } from "./real-cluster.ts";
import { etcdctl } from "./real-etcd.ts";

describeWithPeers("a cluster of real etcds", ["etcd", "etcdctl"], () => {
  test("starts as planned, and once more on the same data dirs", async () => {
    const plan = await planCluster(["a", "b", "c"]);
    const before = await RealCluster.start(plan);
    expect((await etcdctl("--endpoints", before.endpoints, "put", "k", "v")).stdout).toBe("OK\n");
    await before[Symbol.asyncDispose]();
    await using after = await RealCluster.start(plan);
    const said = await etcdctl("--endpoints", after.endpoints, "get", "k");
    expect(said.stdout).toBe("k\nv\n");
    const listed = (await etcdctl("--endpoints", after.endpoints, "member", "list")).stdout;
    for (const { name, peerUrl } of plan.members) expect(listed).toContain(`${name}, ${peerUrl}`);
  });
});
