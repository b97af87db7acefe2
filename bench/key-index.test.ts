import { expect, test } from "vitest";
import { measureKeyIndex } from "./key-index.ts";

test("the benchmark runs, and every round does the same work", () => {
  const { timings, sizes, digest } = measureKeyIndex(500, 2);
  expect(digest).toBeGreaterThan(0);
  for (const { wallMs } of Object.values(timings)) expect(wallMs).toBeGreaterThan(0);
  for (const value of Object.values(sizes)) expect(Number.isFinite(value)).toBe(true);
});
