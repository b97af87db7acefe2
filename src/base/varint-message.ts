/** Writing messages whose every field is an integer, as leases and alarms are. */

/** A varint of 64 bits. */
const VARINT_BYTES_MAX = 10;

/**
 * proto3's bytes of a message: fields in the order given, those that are 0 left out, negative ones as 64 bits in two's
 * complement.
 *
 * @param values  of the fields 1, 2, 3, …; at most 15, so that a tag is one byte. A number must be a safe integer.
 */
export function encodeIntegers(...values: readonly (bigint | number)[]): Uint8Array {
  const bytes = new Uint8Array(values.length * (1 + VARINT_BYTES_MAX));
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as bigint | number;
    if (value === 0 || value === 0n) continue;
    bytes[at++] = (i + 1) << 3;
    at =
      typeof value === "number" && value > 0
        ? putNumber(bytes, at, value)
        : putBits(bytes, at, BigInt.asUintN(64, BigInt(value)));
  }
  return bytes.slice(0, at);
}

function putNumber(bytes: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes[at++] = (left % 0x80) | 0x80;
  bytes[at++] = left;
  return at;
}

function putBits(bytes: Uint8Array, offset: number, value: bigint): number {
  // By halves of 28 bits: arithmetic on a bigint makes a new one each time.
  let at = offset;
  let rest = value;
  while (rest >= 0x1000_0000n) {
    let low = Number(rest & 0xfff_ffffn);
    rest >>= 28n;
    for (let i = 0; i < 4; i++, low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
  }
  return putNumber(bytes, at, Number(rest));
}
