/** A smoke run of `npm run fuzz:pagefile`, which does it by the hundred thousand. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenFiles, goldenPath } from "../support/golden.ts";
import { fuzzOne, originalsOf } from "./fuzz-page-file.ts";

const seed = Number(process.env.STRATA_SEEDS?.split(",")[0] ?? 20);
const count = 1500;

test(`${count} damaged page files neither crash, hang nor give wrong answers: seed ${seed}`, {
  timeout: 300_000,
}, () => {
  const originals = originalsOf(
    goldenFiles(".db").map((name) => ({ name, bytes: readFileSync(goldenPath(name)) })),
  );
  const outcomes = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { outcome, story, error } = fuzzOne(originals, seed, i);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (error !== undefined)
      throw new Error(`mutation ${i}: ${story.join("; ")}`, { cause: error });
  }
  // Damage that is never met, or always at once, would prove nothing.
  for (const expected of ["clean, read, written", "faults, read, written", "metas: CORRUPT"]) {
    expect(outcomes.get(expected)).toBeGreaterThan(10);
  }
});
