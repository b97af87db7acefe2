/** Numbers that callers hand in. What is no int64 cannot be logged, so it must not get that far. */
import { StrataError } from "../base/errors.ts";

/** @throws StrataError BAD_ARGUMENT unless it is a whole number; beyond 2^53 a bigint is rounded */
export function wholeNumber(value: bigint | number, what: string): number {
  if (typeof value === "bigint") return Number(int64(value, what));
  if (Number.isSafeInteger(value)) return value;
  throw new StrataError("BAD_ARGUMENT", `${what} must be a whole number, and is ${value}`);
}

/** @throws StrataError BAD_ARGUMENT if it takes more than 64 bits */
export function int64(value: bigint, what: string): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw new StrataError("BAD_ARGUMENT", `${what} must fit into 64 bits, and is ${value}`);
}
