import { expect, test } from "vitest";
import { rawBytes, rawText } from "./raw-text.ts";

test("text is its UTF-8", () => {
  expect(rawText(Buffer.from("grüße €😀\0"))).toBe("grüße €😀\0");
  expect(Buffer.from(rawBytes("grüße €😀\0")).toString()).toBe("grüße €😀\0");
});

test("every pair of bytes comes back, and so does what is cut or follows", () => {
  for (let high = 0; high < 256; high++) {
    for (let low = 0; low < 256; low++) {
      const bytes = Buffer.of(97, high, low, 0xc3, 0xbc, 98, high);
      expect(rawBytes(rawText(bytes)), bytes.toString("hex")).toEqual(bytes);
    }
  }
});

test("what UTF-8 forbids is kept as bytes", () => {
  // A surrogate in UTF-8, an overlong zero, a cut sequence.
  expect(rawText(Buffer.of(0xed, 0xb2, 0x80))).toBe("\udced\udcb2\udc80");
  expect(rawText(Buffer.of(0xc0, 0x80))).toBe("\udcc0\udc80");
  expect(rawText(Buffer.of(0xf0, 0x9f, 0x98))).toBe("\udcf0\udc9f\udc98");
});
