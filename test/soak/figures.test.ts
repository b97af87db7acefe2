import { expect, test } from "vitest";
import { percentile, slopePerMinute } from "./figures.ts";

test("a trend is seen through noise, and noise is none", () => {
  const noise = [3, -5, 4, -1, -2, 5, -4, 0, 2, -2];
  const flat = noise.map((value, minute) => ({ minute, value: 300 + value }));
  expect(Math.abs(slopePerMinute(flat))).toBeLessThan(0.5);
  const rising = flat.map(({ minute, value }) => ({ minute, value: value + 7 * minute }));
  expect(slopePerMinute(rising) - slopePerMinute(flat)).toBeCloseTo(7);
  expect(slopePerMinute([])).toBe(0);
});

test("percentiles of few values", () => {
  expect(percentile([], 0.99)).toBe(0);
  expect(percentile([5, 1, 3], 0.5)).toBe(3);
  expect(percentile([5, 1, 3], 0.99)).toBe(5);
});
