import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "./bytes.ts";
import { everyField } from "./protobuf.ts";
import { encodeIntegers } from "./varint-message.ts";

test("what protoc writes", () => {
  expect(hex(encodeIntegers(0, 0n))).toBe("");
  expect(hex(encodeIntegers(1, 150, 0, 1n))).toBe("0801" + "109601" + "2001");
  expect(hex(encodeIntegers(-1))).toBe("08ffffffffffffffffff01");
  expect(hex(encodeIntegers(2n ** 63n - 1n))).toBe("08ffffffffffffffff7f");
  expect(hex(encodeIntegers(2 ** 53 - 1))).toBe("08ffffffffffffff0f");
});

test("every integer reads back", () => {
  const integer = fc.oneof(fc.maxSafeInteger(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
  fc.assert(
    fc.property(fc.array(integer, { maxLength: 15 }), (values) => {
      const read = values.map(() => 0n);
      const whole = everyField(encodeIntegers(...values), (fields) => {
        expect(read[fields.field - 1]).toBe(0n);
        read[fields.field - 1] = fields.int64();
      });
      expect(whole).toBe(true);
      expect(read).toEqual(values.map((value) => BigInt(value)));
    }),
  );
});
