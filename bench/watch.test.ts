import { expect, test } from "vitest";
import { measureWatch } from "./watch.ts";

test("the benchmark runs, and hands out what it must", () => {
  for (const { puts, nsPerPut } of measureWatch(500, 1)) {
    expect(puts).toBeGreaterThan(0);
    expect(nsPerPut).toBeGreaterThan(0);
  }
});
