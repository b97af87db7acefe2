/**
 * FNV-1a, 64 bits: the checksum of bbolt's meta pages, over the 56 bytes from offset 16.
 *
 * The definition is Fowler, Noll and Vo's; Go has it as hash/fnv New64a.
 */

/** The basis 0xcbf29ce484222325, in halves. */
const BASIS_HIGH = 0xcbf29ce4;
const BASIS_LOW = 0x84222325;

/** The prime 0x100000001b3 is 2^40 and this: times 2^40 moves the low half into the high one, up by 8. */
const PRIME_LOW = 0x1b3;

/** The hash as an unsigned 64-bit integer. One BigInt per call, none per byte. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let high = BASIS_HIGH | 0;
  let low = BASIS_LOW | 0;
  for (let i = 0; i < bytes.length; i++) {
    low ^= bytes[i] as number;
    // By quarters, so that every product stays an exact 32-bit integer and V8 leaves doubles alone.
    const first = (low & 0xffff) * PRIME_LOW;
    const second = (low >>> 16) * PRIME_LOW + (first >>> 16);
    high = (Math.imul(high, PRIME_LOW) + (low << 8) + (second >>> 16)) | 0;
    low = (second << 16) | (first & 0xffff);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
