import { expect, test } from "vitest";
import { scratchFolder } from "../test/support/cleanup.ts";
import { describeWithPeers } from "../test/support/describe-with-peers.ts";
import { BULK_LOAD } from "./pagefile/bulk-load.ts";
import { PAGE_FILE_QUESTIONS } from "./pagefile/questions.ts";
import { SMOKE_SIZE } from "./support/question.ts";
import { showTable, spread, summarise } from "./support/report.ts";
import { type RunOptions, runQuestions } from "./support/runner.ts";

function smoke(): RunOptions {
  return {
    size: SMOKE_SIZE,
    rounds: 1,
    folder: scratchFolder("bench"),
    withPeer: false,
    ours: (question, file, size) => question.ours(file, size),
    load: BULK_LOAD,
  };
}

test("every question about the page file has an answer without a peer", () => {
  const results = runQuestions(PAGE_FILE_QUESTIONS, smoke());
  const summaries = results.map(summarise);
  expect(summaries.map(({ name }) => name)).toEqual(PAGE_FILE_QUESTIONS.map(({ name }) => name));
  for (const { ours, ops } of summaries) {
    expect(ops).toBeGreaterThan(0);
    expect(ours.median).toBeGreaterThan(0);
  }
  expect(showTable(summaries).split("\n")[1]).toMatch(/^bulk-load \(3,000 puts\).*missing/);
});

describeWithPeers("the page file's benchmarks", ["go-bbolt"], () => {
  // Different digests would throw.
  test("do the same work as the peer", () => {
    const results = runQuestions(PAGE_FILE_QUESTIONS, { ...smoke(), withPeer: true });
    for (const result of results) expect(summarise(result).ratio?.median).toBeGreaterThan(0);
  });
});

test("a spread has the middle of an even number of values", () => {
  expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spread([7])).toEqual({ median: 7, min: 7, max: 7 });
});
