/**
 * Damaged page files by the hundred thousand: none may crash strata, make it hang, or eat its memory.
 *
 *   npm run fuzz:pagefile -- --count 100000 --seed 1
 *   npm run fuzz:pagefile -- --seed 1 --only 4711       that mutation alone, with its story
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzzOne, type Original, originalsOf } from "./fuzz-page-file.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);

/** Run by npm, so from the package's folder. */
const golden = join(process.cwd(), "test/golden");
const files = readdirSync(golden).filter((name) => name.endsWith(".db"));
const originals: Original[] = originalsOf(
  files.map((name) => ({ name, bytes: readFileSync(join(golden, name)) })),
);

const PROGRESS_EVERY = 10_000;
const FAILURES_SHOWN = 20;

function main(): void {
  const outcomes = new Map<string, number>();
  const started = performance.now();
  let failures = 0;
  let slowestMs = 0;
  let slowest = 0;
  const from = values.only === undefined ? 0 : Number(values.only);
  const to = values.only === undefined ? count : from + 1;
  for (let i = from; i < to; i++) {
    const { outcome, ms, story, error } = fuzzOne(originals, seed, i);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (ms > slowestMs) {
      slowestMs = ms;
      slowest = i;
    }
    if (values.only !== undefined) console.log(story.join("\n"), `\n${outcome}`);
    if (error !== undefined) {
      failures++;
      if (failures <= FAILURES_SHOWN) console.log(`--seed ${seed} --only ${i}:\n`, error);
    }
    if ((i + 1) % PROGRESS_EVERY === 0) console.log(`${i + 1} of ${to}, ${failures} failures`);
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(`seed ${seed}: ${to - from} mutations in ${seconds.toFixed(1)} s,`);
  console.log(`${((to - from) / seconds).toFixed(0)} a second`);
  console.log(`the slowest, ${slowest}, took ${slowestMs.toFixed(0)} ms`);
  for (const [outcome, n] of [...outcomes].sort((a, b) => b[1] - a[1])) {
    console.log(`${String(n).padStart(9)}  ${outcome}`);
  }
  console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
  if (failures > 0) {
    console.log(`${failures} FAILURES`);
    process.exitCode = 1;
  }
}

main();
