/**
 * SIGKILL at random moments of a store's life.
 *
 *   npm test                                                       a few rounds
 *   STRATA_KILLS=200 npx vitest run test/crash/store-kill.test.ts  many; STRATA_SEED=7 for others
 */
import { expect, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { killStores } from "../support/store-kills.ts";

const rounds = Number(process.env.STRATA_KILLS ?? 8);
const seed = Number(process.env.STRATA_SEED ?? 1);

const timeout = 60_000 + rounds * 15_000;

test(`SIGKILL ${rounds} times, seed ${seed}: what was acknowledged is there, the rest wholly or not`, {
  timeout,
}, async () => {
  const report = await killStores({ rounds, seed });
  console.info(report);
  const { opening, load, done, stopped } = report;
  expect(opening + load + done + stopped).toBe(rounds);
  expect(report.acknowledged).toBeGreaterThan(rounds * 100);
});

describeWithPeers("what a kill leaves, before and after recovery", ["go-bbolt"], () => {
  const judged = Math.ceil(rounds / 4);
  test(`bbolt finds nothing, ${judged} times`, { timeout }, async () => {
    const report = await killStores({ rounds: judged, seed: seed + 1_000_000, judgeEvery: 1 });
    expect(report.judged).toBeGreaterThanOrEqual(judged);
  });
});
