/**
 * `grpc-timeout`: up to eight digits and a unit.
 *
 * @see grpc doc/PROTOCOL-HTTP2.md, "Requests"
 */
import { quoted } from "../base/quote.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

const ZERO = 0x30;

/** @param value  of the header, one character a byte. @returns milliseconds, or what is wrong, as etcd says it */
export function parseTimeout(value: string): number | string {
  const digits = value.length - 1;
  if (digits < 1) return `transport: timeout string is too short: ${shown(value)}`;
  if (digits > 8) return `transport: timeout string is too long: ${shown(value)}`;
  const unitMs = UNIT_MS[value.charAt(digits)];
  if (unitMs === undefined) return `transport: timeout unit is not recognized: ${shown(value)}`;
  let count = 0;
  for (let at = 0; at < digits; at++) {
    const digit = value.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) {
      return `strconv.ParseUint: parsing ${shown(value.slice(0, digits))}: invalid syntax`;
    }
    count = count * 10 + digit;
  }
  return count * unitMs;
}

function shown(value: string): string {
  return quoted(Buffer.from(value, "latin1"));
}
