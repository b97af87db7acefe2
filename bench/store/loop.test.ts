import { join } from "node:path";
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { makeDataDir } from "./data-dir.ts";
import { besideOf, measureLoop } from "./loop.ts";

test("every work beside the puts ends, and the puts are all answered", async () => {
  const dir = join(scratchFolder("bench-loop"), "data");
  await makeDataDir(dir, 200);
  await using store = await Strata.open({ dir });
  for (const [name, beside] of Object.entries(besideOf(store))) {
    if (beside === undefined) continue;
    const options = { keys: 200, rate: 500, seconds: 0.2 };
    const { puts, loopDelay, wait } = await measureLoop(store, name, beside, options);
    expect(puts).toBeGreaterThan(0);
    for (const { p50, p99, max } of [loopDelay, wait]) {
      expect(p50).toBeLessThanOrEqual(p99);
      expect(p99).toBeLessThanOrEqual(max);
    }
  }
});
