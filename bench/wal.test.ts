import { expect, test } from "vitest";
import { scratchFolder } from "../test/support/cleanup.ts";
import { CALLERS, measureWal, PLACES } from "./wal.ts";

test("the benchmark runs, and every place does the same work", async () => {
  const figures = await measureWal(scratchFolder("bench-wal"), {
    rounds: 1,
    appends: (callers) => 3 * callers,
    segmentBytes: 100_000,
  });
  expect(figures.limitPerSecond).toBeGreaterThan(0);
  expect(figures.readMegabytesPerSecond).toBeGreaterThan(0);
  expect(figures.appends).toHaveLength(CALLERS.length * PLACES.length);
  for (const callers of CALLERS) {
    const some = figures.appends.filter((one) => one.callers === callers);
    expect(new Set(some.map(({ digest }) => digest)).size).toBe(1);
    for (const one of some) expect(one.appendsPerSecond).toBeGreaterThan(0);
  }
});
