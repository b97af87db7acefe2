import fc from "fast-check";
import { expect, test } from "vitest";
import { StrataError } from "../../base/errors.ts";
import { holds } from "./evaluate.ts";
import {
  type ArithmeticOp,
  type ComparisonOp,
  type Condition,
  type LogicalOp,
  SIZE_NAMES,
  type Sizes,
  type Sum,
  UNIT_BYTES,
  type Unit,
} from "./expression.ts";
import { parseDefragRule } from "./parse.ts";
import { printDefragRule } from "./print.ts";

const MIB = 1024 ** 2;

const sizesOf = (dbSize: number, dbSizeInUse: number, dbQuota: number): Sizes => ({
  dbSize,
  dbSizeInUse,
  dbSizeFree: dbSize - dbSizeInUse,
  dbQuota,
  dbQuotaUsage: dbSize / dbQuota,
});

const { condition } = fc.letrec<{ sum: Sum; condition: Condition }>((tie) => ({
  sum: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc.record({
      kind: fc.constant("number" as const),
      value: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e300, noNaN: true })),
      unit: fc.constantFrom<Unit | undefined>(undefined, ...(Object.keys(UNIT_BYTES) as Unit[])),
    }),
    fc.record({ kind: fc.constant("size" as const), name: fc.constantFrom(...SIZE_NAMES) }),
    fc.record({ kind: fc.constant("minus" as const), of: tie("sum") }),
    fc.record({
      kind: fc.constant("arithmetic" as const),
      op: fc.constantFrom<ArithmeticOp>("+", "-", "*", "/"),
      left: tie("sum"),
      right: tie("sum"),
    }),
  ),
  condition: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.record({
      kind: fc.constant("comparison" as const),
      op: fc.constantFrom<ComparisonOp>("==", "!=", "<", "<=", ">", ">="),
      left: tie("sum"),
      right: tie("sum"),
    }),
    fc.record({ kind: fc.constant("not" as const), of: tie("condition") }),
    fc.record({
      kind: fc.constant("logical" as const),
      op: fc.constantFrom<LogicalOp>("&&", "||"),
      left: tie("condition"),
      right: tie("condition"),
    }),
  ),
}));

const sizes = fc
  .tuple(fc.nat(1e9), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1e9))
  .map(([size, share, quota]) => sizesOf(size, Math.floor(size * share), quota));

test("a rule that is printed is read back as the same", () => {
  fc.assert(
    fc.property(condition, (rule) => {
      const text = printDefragRule(rule);
      fc.pre(text.length <= 1000);
      expect(parseDefragRule(text)).toEqual(rule);
    }),
    { numRuns: 300 },
  );
});

/** With every pair of parentheses that there can be: no precedence is left to err about. */
function asScript(part: Sum | Condition): string {
  switch (part.kind) {
    case "number":
      return `(${part.value} * ${UNIT_BYTES[part.unit ?? "B"]})`;
    case "size":
      return part.name;
    case "minus":
      return `(-${asScript(part.of)})`;
    case "not":
      return `(!${asScript(part.of)})`;
    default:
      return `(${asScript(part.left)} ${part.op} ${asScript(part.right)})`;
  }
}

test("a rule holds where the same in the language of the tests does", () => {
  fc.assert(
    fc.property(condition, sizes, (rule, values) => {
      const text = printDefragRule(rule);
      fc.pre(text.length <= 1000);
      const model = new Function(...SIZE_NAMES, `return ${asScript(rule)}`) as (
        ...values: number[]
      ) => boolean;
      const expected = model(...SIZE_NAMES.map((name) => values[name]));
      expect(holds(parseDefragRule(text), values)).toBe(expected);
    }),
    { numRuns: 300 },
  );
});

test.each<[string, Sizes, boolean]>([
  ["dbSizeFree > 200MiB && dbQuotaUsage > 0.5", sizesOf(300 * MIB, 99 * MIB, 500 * MIB), true],
  ["dbSizeFree > 200MiB && dbQuotaUsage > 0.5", sizesOf(300 * MIB, 100 * MIB, 500 * MIB), false],
  ["dbSizeFree > 200MiB && dbQuotaUsage > 0.5", sizesOf(300 * MIB, 99 * MIB, 700 * MIB), false],
  ["dbQuotaUsage > 0.8 || dbSizeFree > 200*1024*1024", sizesOf(900, 800, 1000), true],
  ["dbSize > dbQuota*80/100 && dbSize - dbSizeInUse > 100", sizesOf(900, 800, 1000), false],
  ["dbSize > dbQuota*80/100 && dbSize - dbSizeInUse > 99", sizesOf(900, 800, 1000), true],
  ["10 - 4 - 3 == 3 && 16 / 4 / 2 == 2 && 2 + 3 * 4 == 14", sizesOf(1, 1, 1), true],
  ["!(dbSize > 1) || dbSize > 5 && dbSize > 9", sizesOf(6, 6, 6), false],
  ["1KB == 1000 && 1KiB == 1024 B && 0.5 MiB == 512KiB && 1GB<1GiB", sizesOf(1, 1, 1), true],
  ["-dbSize<-1e1&&.5<1", sizesOf(11, 11, 11), true],
  ["dbQuotaUsage > 0.0001", sizesOf(2 ** 40, 1, Number.POSITIVE_INFINITY), false],
])("%s, of %j: %s", (text, values, expected) => {
  expect(holds(parseDefragRule(text), values)).toBe(expected);
});

const NAMES = "there are dbSize, dbSizeInUse, dbSizeFree, dbQuota, dbQuotaUsage";

test.each([
  ["", "column 1: a number or a name was expected, not the end"],
  ["dbSizeFree > ", "column 14: a number or a name was expected, not the end"],
  [
    "dbSizeFree > 200Mib",
    'column 17: there is no unit "Mib"; there are B, KB, MB, GB, KiB, MiB, GiB',
  ],
  ["dbsize > 1", `column 1: there is no "dbsize"; ${NAMES}`],
  ["true", `column 1: there is no "true"; ${NAMES}`],
  ["dbSize = 1", 'column 8: "=" has no meaning here; equality is =='],
  ["dbSize > 1 & 2 > 1", 'column 12: "&" has no meaning here; and is &&'],
  ["dbSize > dbQuota * 80%", 'column 22: "%" has no meaning here; half of it is * 0.5'],
  ["dbSize > 1 ü", 'column 12: "ü" has no meaning here'],
  [
    "dbSizeFree",
    "column 1: this is a number, not a condition: a rule is a condition, such as dbSizeFree > 200MiB",
  ],
  [
    "dbSizeFree > 1 && (dbQuotaUsage + 1)",
    "column 19: this is a number, not a condition: && is between conditions, such as dbSizeFree > 200MiB",
  ],
  [
    "!dbSize > 1",
    "column 2: this is a number, not a condition: ! is for a condition, in parentheses",
  ],
  ["1 < dbSize < 3", "column 12: < follows on a comparison; two of them are joined by &&"],
  ["(1 < 2) + 3 > 4", "column 1: this is a condition, not a number: + is between numbers"],
  ["dbSize > -(1 > 2)", "column 11: this is a condition, not a number: - is for a number"],
  ["(dbSize > 1", "column 12: a ) is missing for the ( at column 1"],
  ["dbSize > 1)", 'column 11: ")" was not expected here'],
  ["dbSize > 1 2", 'column 12: "2" was not expected here'],
  ["dbSize > 1e999", "column 10: 1e999 is too great a number"],
  ["constructor > 1", `column 1: there is no "constructor"; ${NAMES}`],
  [`${"(".repeat(1000)}`, "column 1001: a number or a name was expected, not the end"],
  [`${"(".repeat(1001)}`, "column 1001: a rule has 1000 characters at most"],
])("%s: %s", (text, message) => {
  expect(() => parseDefragRule(text)).toThrow(new StrataError("BAD_ARGUMENT", message));
});

test("no text breaks the reader", () => {
  const words = fc.constantFrom("dbSize", "1", "2KiB", "(", ")", "!", "-", "<", "==", "&&", " ");
  const texts = fc.oneof(
    fc.string(),
    fc.array(words).map((some) => some.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(parseDefragRule(printDefragRule(parseDefragRule(text)))).toEqual(
          parseDefragRule(text),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(StrataError);
      }
    }),
    { numRuns: 500 },
  );
});
