/** Ids as they are typed and printed: hexadecimal, without `0x`. */
import { reasonOf } from "../../base/errors.ts";
import { parseGoInt } from "../../base/go-int.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

/** A lease's: Go's `%016x` of an int64, so a sign counts as a digit. */
export function leaseIdText(id: bigint): string {
  if (id < 0n) return `-${(-id).toString(16).padStart(15, "0")}`;
  return id.toString(16).padStart(16, "0");
}

/** A member's or a cluster's, as lists have it: `%x`. */
export function idText(id: bigint): string {
  return id.toString(16);
}

/** As sentences have it, in 16 columns: `%16x`. */
export function paddedIdText(id: bigint): string {
  return idText(id).padStart(16);
}

/** @throws Failure 128 */
export function parseLeaseId(text: string): bigint {
  try {
    return parseGoInt(text, 16);
  } catch (error) {
    throw new Failure(EXIT_BAD_ARGS, `bad lease ID (${reasonOf(error)}), expecting ID in Hex`);
  }
}
