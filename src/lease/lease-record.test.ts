import { expect, test } from "vitest";
import { hex } from "../base/bytes.ts";
import { decodeLease, encodeLease, leaseKey } from "./lease-record.ts";

test("a row is what protoc writes: zeros left out, a negative id in ten bytes", () => {
  expect(hex(encodeLease(0n, 0, 0))).toBe("");
  expect(hex(encodeLease(1n, 150, 1))).toBe("0801" + "109601" + "1801");
  expect(hex(encodeLease(-1n, 2, 0))).toBe("08ffffffffffffffffff01" + "1002");
  expect(hex(encodeLease(2n ** 63n - 1n, 0, 0))).toBe("08ffffffffffffffff7f");
  expect(hex(encodeLease(0n, 2 ** 53 - 1, 0))).toBe("10ffffffffffffff0f");
});

test.each([1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])("lease %s reads back", (id) => {
  const row = { id, ttl: 9_000_000_000n, remainingTtl: 7n };
  expect(decodeLease(leaseKey(id), encodeLease(id, 9_000_000_000, 7))).toEqual(row);
});
