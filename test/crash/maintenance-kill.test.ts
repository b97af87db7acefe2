/**
 * SIGKILL at random moments, and at the worst ones, of defragmentations, compactions and snapshots under a load.
 *
 *   npm test                                                            two or three
 *   STRATA_KILLS=200 npx vitest run test/crash/maintenance-kill.test.ts  many; STRATA_SEED=7 for others
 */
import { expect, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { killMaintenance } from "../support/maintenance-kills.ts";

const rounds = Number(process.env.STRATA_KILLS ?? 2);
const seed = Number(process.env.STRATA_SEED ?? 1);
const timeout = 60_000 + rounds * 20_000;

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}

test(`SIGKILL ${rounds} times, seed ${seed}: nothing acknowledged is lost, and nothing is left lying`, {
  timeout,
}, async () => {
  const report = await killMaintenance({ rounds, seed });
  console.info(report);
  expect(sum(report.phases)).toBe(rounds);
  expect(report.acknowledged).toBeGreaterThan(rounds * 10);
});

/** Starts of a real etcd take their time. */
const judged = Math.floor(rounds / 4);
if (judged > 0) {
  describeWithPeers("what a kill leaves", ["etcd", "etcdctl", "go-bbolt"], () => {
    test(`a real etcd goes on with it, bbolt finds nothing, ${judged} times`, {
      timeout,
    }, async () => {
      const report = await killMaintenance({
        rounds: judged,
        seed: seed + 1_000_000,
        etcdEvery: 2,
        judgeEvery: 1,
      });
      console.info(report);
      expect(report.judged).toBeGreaterThanOrEqual(judged);
      expect(report.etcdStarts).toBe(Math.floor(judged / 2));
    });
  });
}
