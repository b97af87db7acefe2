import { expect, test } from "vitest";
import { parseGoInt, parseGoUint } from "./go-int.ts";

test("what Go reads", () => {
  expect(parseGoInt("-12", 10)).toBe(-12n);
  expect(parseGoInt("+7", 0)).toBe(7n);
  expect(parseGoInt("0x1F", 0)).toBe(31n);
  expect(parseGoInt("010", 0)).toBe(8n);
  expect(parseGoInt("010", 10)).toBe(10n);
  expect(parseGoInt("1_000_0", 0)).toBe(10_000n);
  expect(parseGoInt("0x_1_F", 0)).toBe(31n);
  expect(parseGoInt("0_10", 0)).toBe(8n);
  expect(parseGoInt("1234abCD", 16)).toBe(0x1234abcdn);
  expect(parseGoInt("-8000000000000000", 16)).toBe(-(2n ** 63n));
  expect(parseGoUint("ffffffffffffffff", 16)).toBe(2n ** 64n - 1n);
});

test("what Go refuses, in Go's words", () => {
  for (const text of ["", "x", "-", "1 ", "0x", "1e3", "٣", "_1", "1_", "1__0", "0x", "0x1_g"]) {
    expect(() => parseGoInt(text, 0)).toThrow(
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  expect(() => parseGoInt("1_0", 10)).toThrow("invalid syntax");
  expect(() => parseGoInt("0x12", 16)).toThrow("invalid syntax");
  expect(() => parseGoInt("8000000000000000", 16)).toThrow(
    'strconv.ParseInt: parsing "8000000000000000": value out of range',
  );
  expect(() => parseGoUint("-1", 10)).toThrow('strconv.ParseUint: parsing "-1": invalid syntax');
  expect(() => parseGoUint("1ffffffffffffffff", 16)).toThrow("value out of range");
});
