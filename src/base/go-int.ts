/** Go's strconv.ParseInt and ParseUint, whose words etcd's commands print. */
import { StrataError } from "./errors.ts";

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/**
 * An int64. @param base  16: hexadecimal digits without `0x`; 10; 0: as the prefix says (0x, 0o, 0b, 0), decimal without
 * @throws StrataError BAD_ARGUMENT `strconv.ParseInt: parsing "x": invalid syntax`, or `... value out of range`
 */
export function parseGoInt(text: string, base: 0 | 10 | 16): bigint {
  const [, sign = "", digits = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const size = magnitude(digits, base);
  if (size === undefined) throw refused("ParseInt", text, "invalid syntax");
  const value = sign === "-" ? -size : size;
  if (value > INT64_MAX || value < -INT64_MAX - 1n) {
    throw refused("ParseInt", text, "value out of range");
  }
  return value;
}

/** A uint64: no sign. @throws as parseGoInt, with `strconv.ParseUint` */
export function parseGoUint(text: string, base: 0 | 10 | 16): bigint {
  const value = magnitude(text, base);
  if (value === undefined) throw refused("ParseUint", text, "invalid syntax");
  if (value > UINT64_MAX) throw refused("ParseUint", text, "value out of range");
  return value;
}

function magnitude(digits: string, base: 0 | 10 | 16): bigint | undefined {
  if (base === 0 && digits.includes("_")) {
    // Between digits, or between the prefix and them.
    const isGrouped = /^(0[xob]_?)?[0-9a-f]+(_[0-9a-f]+)*$/i.test(digits);
    return isGrouped ? magnitude(digits.replaceAll("_", ""), 0) : undefined;
  }
  if (base === 16) return /^[0-9a-f]+$/i.test(digits) ? BigInt(`0x${digits}`) : undefined;
  if (base === 0 && /^0(x[0-9a-f]+|o[0-7]+|b[01]+)$/i.test(digits)) return BigInt(digits);
  if (base === 0 && /^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  return /^\d+$/.test(digits) ? BigInt(digits) : undefined;
}

function refused(call: string, text: string, why: string): StrataError {
  return new StrataError(
    "BAD_ARGUMENT",
    `strconv.${call}: parsing ${JSON.stringify(text)}: ${why}`,
  );
}
