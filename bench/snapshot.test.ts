import { expect, test } from "vitest";
import { scratchFolder } from "../test/support/cleanup.ts";
import { describeWithPeers } from "../test/support/describe-with-peers.ts";
import { measureSnapshots } from "./snapshot.ts";
import { isAnswered } from "./store/alternate.ts";

describeWithPeers("snapshots beside a real etcd", ["etcd", "etcdctl"], () => {
  test("everybody saves and restores, and is measured", { timeout: 60_000 }, async () => {
    const folder = scratchFolder("bench-snapshot");
    const answers = await measureSnapshots({ folder, megabytes: 1, rounds: 1 });
    expect(answers.map(({ name }) => name)).toEqual([
      "save from strata strata",
      "save from strata etcd",
      "save from etcd strata",
      "save from etcd etcd",
      "restore strata",
      "restore etcd",
    ]);
    for (const answered of answers) {
      expect(answered).toHaveProperty("rounds");
      if (!isAnswered(answered)) continue;
      for (const { seconds, peakRssBytes } of answered.rounds) {
        expect(seconds).toBeGreaterThan(0);
        expect(peakRssBytes).toBeGreaterThan(0);
      }
    }
  });
});
