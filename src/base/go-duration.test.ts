import { expect, test } from "vitest";
import { formatGoDuration, parseGoDuration } from "./go-duration.ts";

test("durations are read as Go reads them", () => {
  const good: [string, number][] = [
    ["0", 0],
    ["+5s", 5000],
    ["-1.5h", -5_400_000],
    ["1h30m", 5_400_000],
    [".5ms", 0.5],
    ["1m0.5s", 60_500],
    ["3us", 0.003],
    ["2562047h", 2_562_047 * 3_600_000],
  ];
  for (const [text, ms] of good) expect(parseGoDuration(text), text).toBeCloseTo(ms, 9);
});

test("what is none is refused in Go's words", () => {
  expect(() => parseGoDuration("abc")).toThrow('time: invalid duration "abc"');
  expect(() => parseGoDuration("")).toThrow('time: invalid duration ""');
  expect(() => parseGoDuration("-5")).toThrow('time: missing unit in duration "-5"');
  expect(() => parseGoDuration("5d")).toThrow('time: unknown unit "d" in duration "5d"');
  expect(() => parseGoDuration("2562048h")).toThrow('time: invalid duration "2562048h"');
  expect(() => parseGoDuration("1s-1s")).toThrow('time: unknown unit "s-" in duration "1s-1s"');
});

test("durations are written as Go writes them", () => {
  const texts: [number, string][] = [
    [0, "0s"],
    [0.0005, "500ns"],
    [0.0015, "1.5µs"],
    [12.5, "12.5ms"],
    [1000, "1s"],
    [61_500, "1m1.5s"],
    [3_600_000, "1h0m0s"],
    [-90_000, "-1m30s"],
  ];
  for (const [ms, text] of texts) expect(formatGoDuration(ms)).toBe(text);
});
