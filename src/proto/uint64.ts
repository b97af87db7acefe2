/** Varints of all 64 bits, from a bigint; in two words, since every shift of a bigint is a number on the heap. */
import { readU32, viewOf, writeU64Big } from "../base/bytes.ts";
import { putVarint, varintBytes } from "./protobuf.ts";

const words = viewOf(new Uint8Array(8));

/** How many bytes `value` takes. @param value  an int64, in two's complement, or a uint64 */
export function uint64Bytes(value: bigint): number {
  writeU64Big(words, 0, value);
  const high = readU32(words, 4);
  return high === 0 ? varintBytes(readU32(words, 0)) : Math.ceil((64 - Math.clz32(high)) / 7);
}

/** Writes `value`, an int64, in two's complement, or a uint64, at `at`; returns where it ends. */
export function putUint64(bytes: Uint8Array, at: number, value: bigint): number {
  writeU64Big(words, 0, value);
  let low = readU32(words, 0);
  let high = readU32(words, 4);
  if (high === 0) return putVarint(bytes, at, low);
  let to = at;
  while (high !== 0 || low >= 0x80) {
    bytes[to++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  bytes[to++] = low;
  return to;
}
