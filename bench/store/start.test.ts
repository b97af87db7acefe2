import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { projectFolder } from "../../test/support/judge.ts";
import { isAnswered } from "./alternate.ts";
import { makeDataDir } from "./data-dir.ts";
import { measureStart, startStrata } from "./start.ts";
import { keyOf } from "./workload.ts";

/** A process of its own cannot run TypeScript. */
const PROGRAM = join(projectFolder(), "dist/bench/store/start-side.js");
const KEYS = 200;

test("a process that opens the store answers, and says what it took", async () => {
  const made = join(scratchFolder("bench-start"), "data");
  await makeDataDir(made, KEYS);
  const { value, seconds, side } = await startStrata(made, keyOf(7), PROGRAM);
  expect(value).toHaveLength(600);
  expect(seconds).toBeGreaterThan(0);
  expect(side?.keys).toBe(KEYS);
});

describeWithPeers("the start beside a real etcd", ["etcd"], () => {
  test("both read the same value", async () => {
    const folder = scratchFolder("bench-start");
    const made = join(folder, "made");
    await makeDataDir(made, KEYS);
    const answers = await measureStart({ made, folder, keys: KEYS, rounds: 1, program: PROGRAM });
    expect(answers.filter(isAnswered)).toHaveLength(2);
  });
});
