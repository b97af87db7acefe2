import { expect, test } from "vitest";
import { utf8 } from "./bytes.ts";
import { printableText, quoted } from "./quote.ts";

// Each as Go's fmt.Sprintf("%q") gives it.
test.each([
  ["", '""'],
  ["a b", '"a b"'],
  ['say "hi" \\', '"say \\"hi\\" \\\\"'],
  ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
  ["\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'],
  ["héllo 世界 😀", '"héllo 世界 😀"'],
  ["\u00a0\u200b\u2028", '"\\u00a0\\u200b\\u2028"'],
  ["\ufeff", '"\\ufeff"'],
  ["\u{e0001}", '"\\U000e0001"'],
])("%j", (text, expected) => {
  expect(quoted(utf8(text))).toBe(expected);
});

test("bytes that are not UTF-8 are shown one by one", () => {
  expect(quoted(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9, 0xc3))).toBe('"a\\xffé\\xc3"');
  expect(quoted(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('"\\xed\\xa0\\x80"'); // A surrogate.
  expect(quoted(Uint8Array.of(0xc0, 0x80, 0xf5, 0x80, 0x80, 0x80))).toBe(
    '"\\xc0\\x80\\xf5\\x80\\x80\\x80"',
  );
});

test("text is printable whole or not at all", () => {
  expect(printableText(utf8("héllo 😀"))).toBe("héllo 😀");
  expect(printableText(utf8('"\\'))).toBe('"\\');
  expect(printableText(utf8("a\nb"))).toBeUndefined();
  expect(printableText(Uint8Array.of(0xff))).toBeUndefined();
});
