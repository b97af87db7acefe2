import { expect, test } from "vitest";
import { quoted } from "./quote.ts";
import { unquoted } from "./unquote.ts";

test.each([
  ['""', ""],
  ['"foo bar"', "foo bar"],
  ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\x07\b\f\n\r\t\v\\"'],
  ['"\\x00\\xfF\\101\\377"', "\x00\xffA\xff"],
  ['"\\u00fc\\U0001F600ü"', "\xc3\xbc\xf0\x9f\x98\x80\xc3\xbc"],
  ['`a\\n"b`', 'a\\n"b'],
])("%s", (text, bytes) => {
  expect(Buffer.from(unquoted(text) ?? []).toString("latin1")).toBe(bytes);
});

test.each([
  '"',
  '"a',
  'a"',
  '"a"b"',
  '"\\q"',
  '"\\x1"',
  '"\\X41"',
  '"\\N"',
  '"\\400"',
  '"\\U00fc"',
  '"\\u0001F600"x',
  '"\\ud800"',
  '"\\U00110000"',
  '"a\nb"',
  '"\\\'"',
  "'a'",
  "`a`b`",
])("%j is refused", (text) => {
  expect(unquoted(text)).toBeUndefined();
});

test("what is quoted comes back", () => {
  for (let high = 0; high < 256; high++) {
    for (let low = 0; low < 256; low += 3) {
      const bytes = Buffer.of(high, low, 0x20, high);
      expect(unquoted(quoted(bytes)), bytes.toString("hex")).toEqual(bytes);
    }
  }
});
