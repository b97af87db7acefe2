import { expect, test } from "vitest";
import { latin1, utf8 } from "../base/bytes.ts";
import { withoutPasswordHashes } from "./password-mask.ts";

const HASH = `$2a$10$${"./aZ9".repeat(10)}abc`;

test("every hash is masked, and nothing else", () => {
  expect(HASH).toHaveLength(60);
  const bytes = utf8(`\nroot\x12<${HASH}\x1a\nbob${HASH}!`);
  const masked = latin1(withoutPasswordHashes(bytes));
  const stars = "*".repeat(60);
  expect(masked).toBe(`\nroot\x12<${stars}\x1a\nbob${stars}!`);
  expect(latin1(bytes)).toContain(HASH);
});

test("a hash that is cut off is masked as far as it goes", () => {
  for (const length of [7, 8, 30, 59]) {
    const bytes = utf8(`x${"y".repeat(80)}${HASH.slice(0, length)}`);
    const expected = `x${"y".repeat(80)}${"*".repeat(length)}`;
    expect(latin1(withoutPasswordHashes(bytes))).toBe(expected);
  }
});

test("bytes without a hash come back as they are", () => {
  for (const text of ["", "price: $2 and $10", "$2a$10 $", "$1$10$abc"]) {
    const bytes = utf8(text);
    expect(withoutPasswordHashes(bytes)).toBe(bytes);
  }
});
