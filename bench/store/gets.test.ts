import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { alternate, isAnswered } from "./alternate.ts";
import { answerGets, assertSameReads, getEntries, loadAll } from "./gets.ts";

async function getsOf(only: RegExp) {
  const folder = scratchFolder("bench-gets");
  const plan = { keys: 500, hot: 100, gets: 300 };
  await loadAll(plan, folder, answerGets, only);
  const entries = getEntries(plan, folder, answerGets).filter(({ name }) => only.test(name));
  return await alternate(entries, 1);
}

test("every store reads the same, or is missing", async () => {
  const answers = await getsOf(/^(?!bbolt)/);
  assertSameReads(answers);
  expect(answers.filter(isAnswered).map(({ name }) => name)).toContain("strata");
  for (const answered of answers) {
    if (!isAnswered(answered)) expect(answered.missing).toMatch(/npm run bench:peers/);
    else expect(answered.rounds[0]?.ops).toBe(300);
  }
});

describeWithPeers("gets beside bbolt", ["go-bbolt"], () => {
  test("read what strata reads", async () => {
    const answers = await getsOf(/^(strata|bbolt)/);
    expect(answers.filter(isAnswered)).toHaveLength(3);
    assertSameReads(answers);
  });
});
