import { expect, test } from "vitest";
import { DISK_SECONDS, exponential, Histogram } from "./histogram.ts";

test("a value is in the first bucket whose bound it does not exceed", () => {
  const histogram = new Histogram([1, 2, 4]);
  for (const value of [0, 1, 1.5, 2, 3, 4, 4.5, 100]) histogram.observe(value);
  expect([...histogram.counts]).toEqual([2, 2, 2, 2]);
  expect(histogram.count).toBe(8);
  expect(histogram.sum).toBe(116);
});

test("exponential bounds", () => {
  expect(exponential(0.5, 2, 4)).toEqual([0.5, 1, 2, 4]);
  expect(DISK_SECONDS).toHaveLength(14);
  expect(DISK_SECONDS.at(-1)).toBe(8.192);
});

test("bounds that do not ascend are refused", () => {
  expect(() => new Histogram([1, 1])).toThrow("bounds ascend");
  expect(() => new Histogram([])).toThrow("has buckets");
});
