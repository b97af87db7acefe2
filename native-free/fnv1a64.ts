/**
 * FNV-1a, 64 bits: the checksum of bbolt's meta pages, over the 56 bytes from offset 16.
 *
 * The definition is Fowler, Noll and Vo's; Go has it as hash/fnv New64a.
 */

const TWO_32 = 2 ** 32;

/** The basis 0xcbf29ce484222325, in halves. */
const BASIS_HIGH = 0xcbf29ce4;
const BASIS_LOW = 0x84222325;

/** The prime is 2^40 + 0x1b3. */
const PRIME_LOW = 0x1b3;
const PRIME_HIGH_SHIFT = 2 ** 8; // 2^40 in units of 2^32

/** The hash as an unsigned 64-bit integer. One BigInt per call, none per byte. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let high = BASIS_HIGH;
  let low = BASIS_LOW;
  for (let i = 0; i < bytes.length; i++) {
    low = (low ^ (bytes[i] as number)) >>> 0;
    // Every product and sum stays below 2^43, so doubles hold it exactly and >>> cuts it to 32 bits.
    const product = low * PRIME_LOW;
    high = (high * PRIME_LOW + low * PRIME_HIGH_SHIFT + Math.floor(product / TWO_32)) >>> 0;
    low = product >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}
