import { expect, test } from "vitest";
import { measureCrc32c, SIZES } from "./crc32c.ts";

test("the benchmark runs, and all implementations do the same work", async () => {
  const figures = await measureCrc32c({ rounds: 1, timeMs: 1, runBytes: 1 << 14, warmup: false });
  expect(figures).toHaveLength(3 * SIZES.length);
  for (const size of SIZES) {
    const some = figures.filter(({ rangeBytes }) => rangeBytes === size);
    expect(new Set(some.map(({ digest }) => digest)).size).toBe(1);
    for (const { megabytesPerSecond } of some) expect(megabytesPerSecond).toBeGreaterThan(0);
  }
});
