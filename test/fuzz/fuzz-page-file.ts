/** One mutation of one page file, exercised under a time limit; what the script and the smoke test share. */
import vm from "node:vm";
import { readMetas } from "../../src/pagefile/meta.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { MemoryFile } from "../support/memory-file.ts";
import { appendTo, ModelBucket, SHAPES, workOn } from "../support/page-file-model.ts";
import { rng } from "../support/rng.ts";
import { exercise } from "./exercise-page-file.ts";
import { mutate } from "./page-file-mutations.ts";

export interface Original {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly pageBytes: number;
}

export interface Fuzzed {
  readonly outcome: string;
  readonly ms: number;
  readonly story: readonly string[];
  readonly error?: unknown;
}

/** What one mutation may take: most take a few milliseconds, but the machine may be busy with other things. */
const LIMIT_MS = 10_000;

/** Golden files, and some of strata's own with branches, overflow, nesting and stored free lists. */
export function originalsOf(
  golden: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Original[] {
  const made = SHAPES.map((shape, i) => {
    const pageBytes = i % 2 === 0 ? 1024 : 4096;
    const memory = new MemoryFile();
    const file = PageFile.open(memory, { pageBytes, freelistSync: i % 3 !== 0 });
    const random = rng(i);
    const model = new ModelBucket();
    for (let round = 0; round < 6; round++) {
      file.update((tx) => {
        workOn(tx, model, random, shape);
        if (round === 3) appendTo(tx, model, random, 200);
      });
    }
    return { name: `strata-${i}`, bytes: memory.bytes.slice() };
  });
  return [...golden, ...made].map(({ name, bytes }) => {
    const { pageBytes } = readMetas(new MemoryFile(bytes));
    // A Buffer's slice would be a view: every mutation is to get a copy.
    return { name, bytes: Uint8Array.from(bytes), pageBytes };
  });
}

/** Only a script has a time limit that ends an endless loop. */
const inTime = new vm.Script("strataFuzzWork()");

/** Mutation `index` of `seed`: always the same. */
export function fuzzOne(originals: readonly Original[], seed: number, index: number): Fuzzed {
  const random = rng(Math.imul(seed, 0x9e37_79b9) + index);
  const original = random.pick(originals);
  const { bytes, story } = mutate(original.bytes, original.pageBytes, random);
  const before = performance.now();
  let outcome = "";
  let error: unknown;
  Reflect.set(globalThis, "strataFuzzWork", () => {
    outcome = exercise(bytes, random);
  });
  try {
    inTime.runInThisContext({ timeout: LIMIT_MS });
  } catch (thrown) {
    outcome = `FAILED: ${thrown instanceof Error ? thrown.name : String(thrown)}`;
    error = thrown;
  }
  const ms = performance.now() - before;
  const whole = [original.name, ...story];
  return error === undefined ? { outcome, ms, story: whole } : { outcome, ms, story: whole, error };
}
