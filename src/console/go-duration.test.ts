import { expect, test } from "vitest";
import { durationMs, durationText, GoSyntaxError } from "./go-duration.ts";

test.each([
  ["0", 0, "0s"],
  ["300ms", 300, "300ms"],
  ["1.5s", 1500, "1.5s"],
  ["2h", 7_200_000, "2h0m0s"],
  ["10m", 600_000, "10m0s"],
  ["1h30m0.25s", 5_400_250, "1h30m0.25s"],
  ["-5s", -5000, "-5s"],
  ["250us", 0.25, "250µs"],
  ["10ns", 1e-5, "10ns"],
  [".5s", 500, "500ms"],
])("%s", (text, ms, shown) => {
  expect(durationMs(text)).toBeCloseTo(ms, 9);
  expect(durationText(ms)).toBe(shown);
});

test.each([
  ["", 'time: invalid duration ""'],
  ["abc", 'time: invalid duration "abc"'],
  ["5", 'time: missing unit in duration "5"'],
  ["5 s", 'time: unknown unit " s" in duration "5 s"'],
  ["3000000h", 'time: invalid duration "3000000h"'],
])("%s is none", (text, message) => {
  expect(() => durationMs(text)).toThrow(new GoSyntaxError(message));
});
