import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { alternate, isAnswered } from "./alternate.ts";
import { answerPuts, CALLERS, type PutFigure, putEntries, putsOf } from "./put-side.ts";
import { assertSameWork } from "./puts.ts";

async function answersOf(callers: number, only: RegExp) {
  const folder = scratchFolder("bench-puts");
  const options = { callers, puts: putsOf(callers, 0.002), settleMs: 0 };
  const entries = putEntries(options, folder, answerPuts).filter(({ name }) => only.test(name));
  return await alternate<PutFigure>(entries, 1);
}

for (const callers of CALLERS) {
  test(`puts of ${callers} callers: every store has done the same work, or is missing`, async () => {
    const answers = await answersOf(callers, /^(?!bbolt)/);
    assertSameWork(answers);
    expect(answers.filter(isAnswered).map(({ name }) => name)).toContain("strata");
    for (const answered of answers) {
      if (!isAnswered(answered)) expect(answered.missing).toMatch(/npm run bench:peers/);
      else expect(answered.rounds[0]?.ops).toBeGreaterThan(0);
    }
  });
}

describeWithPeers("puts beside bbolt", ["go-bbolt"], () => {
  test("one transaction each, and batches, leave what strata's puts do", async () => {
    for (const callers of [1, 10]) {
      const answers = await answersOf(callers, /^(strata|bbolt)$/);
      expect(answers.filter(isAnswered)).toHaveLength(2);
      assertSameWork(answers);
    }
  });
});
