import { expect, test } from "vitest";
import { ApplyTimes } from "./apply-times.ts";

test("slow ones are counted, and all by kind and outcome", () => {
  const times = new ApplyTimes(100);
  expect(times.applied("txn", true, 99)).toBe(false);
  expect(times.applied("txn", false, 101)).toBe(true);
  expect(times.applied("compaction", true, 500)).toBe(true);
  expect(times.slow).toBe(2);
  expect(times.byKind.get("txn")?.success.sum).toBeCloseTo(0.099);
  expect(times.byKind.get("txn")?.failure.count).toBe(1);
});

test("of puts only some are timed, and all are counted", () => {
  const times = new ApplyTimes(100);
  let timed = 0;
  for (let i = 0; i < 160; i++) {
    if (times.isTimed("put")) {
      timed++;
      // One of them is slow, which is not said of those after it.
      expect(times.applied("put", true, i === 16 ? 200 : 1)).toBe(i === 16);
    } else times.put(true);
  }
  expect(timed).toBe(10);
  const puts = times.byKind.get("put")?.success;
  expect(puts?.count).toBe(160);
  expect(puts?.sum).toBeCloseTo(159 * 0.001 + 0.2);
  expect(times.slow).toBe(1);
});
