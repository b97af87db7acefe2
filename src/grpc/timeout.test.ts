import { expect, test } from "vitest";
import { parseTimeout } from "./timeout.ts";

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["5S", 5000],
  ["250m", 250],
  ["4999876u", 4999.876],
  ["1000000n", 1],
  ["0n", 0],
  ["99999999H", 99999999 * 3_600_000],
])("%s", (value, ms) => {
  expect(parseTimeout(value)).toBeCloseTo(ms, 6);
});

test.each([
  ["", 'transport: timeout string is too short: ""'],
  ["S", 'transport: timeout string is too short: "S"'],
  ["123456789S", 'transport: timeout string is too long: "123456789S"'],
  ["5x", 'transport: timeout unit is not recognized: "5x"'],
  ["-5S", 'strconv.ParseUint: parsing "-5": invalid syntax'],
  ["1.5S", 'strconv.ParseUint: parsing "1.5": invalid syntax'],
  ["5\xff", 'transport: timeout unit is not recognized: "5\\xff"'],
])("%j is malformed", (value, why) => {
  expect(parseTimeout(value)).toBe(why);
});
