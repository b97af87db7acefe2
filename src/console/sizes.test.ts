import { expect, test } from "vitest";
import { humanBytes, humanMs } from "./sizes.ts";

test.each([
  [0, "0 B"],
  [9, "9 B"],
  [10, "10 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [1024, "1.0 kB"],
  [9949, "9.9 kB"],
  [9950, "10 kB"],
  [20_480, "20 kB"],
  [24_576, "25 kB"],
  [32_768, "33 kB"],
  [77_824, "78 kB"],
  [2_100_000, "2.1 MB"],
  [2_147_483_648, "2.1 GB"],
  // %.0f of a half goes to the even number.
  [12_500, "12 kB"],
  [13_500, "14 kB"],
  // The unit is chosen before the rounding.
  [999_950, "1000 kB"],
  [999_999_999, "1000 MB"],
  [1_000_000_000, "1.0 GB"],
])("%d bytes are %s, as go-humanize has it", (bytes, shown) => {
  expect(humanBytes(bytes)).toBe(shown);
});

test.each([
  [0.4, "0 ms"],
  [12.3, "12 ms"],
  [3400, "3.4 s"],
  [125_400, "2 min 5 s"],
])("%d ms are %s", (ms, shown) => {
  expect(humanMs(ms)).toBe(shown);
});
