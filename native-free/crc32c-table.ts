/**
 * CRC-32C by tables alone: slicing by 16, after Kounavis and Berry ("A Systematic Approach to Building High Performance
 * Software-Based CRC Generators", 2005). Used where there is no WebAssembly SIMD, and for inputs too short to copy.
 */

/** The Castagnoli polynomial, bit-reversed: bit 31 stands for x^0. */
export const CASTAGNOLI: number = 0x82f63b78;

/** 16 tables of 256: entry `zeros * 256 + byte` is the register after `byte` and that many zero bytes, from 0. */
export const CRC32C_TABLES: Int32Array = computeTables();

function computeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) {
      register = (register & 1) === 0 ? register >>> 1 : (register >>> 1) ^ CASTAGNOLI;
    }
    tables[byte] = register;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (tables[before & 0xff] as number) ^ (before >>> 8);
  }
  return tables;
}

// Both are inlined by V8; they keep the sixteen lines below free of casts.
function entry(index: number): number {
  return CRC32C_TABLES[index] as number;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

/** The register after `bytes[at, end)`, not inverted on the way in or out. 0 ≤ at ≤ end ≤ bytes.length. */
export function updateByTables(
  bytes: Uint8Array,
  at: number,
  end: number,
  register: number,
): number {
  let r = register;
  let i = at;
  for (; end - i >= 16; i += 16) {
    // The first four bytes meet the register; the other twelve are looked up without waiting for it.
    r ^=
      byteAt(bytes, i) |
      (byteAt(bytes, i + 1) << 8) |
      (byteAt(bytes, i + 2) << 16) |
      (byteAt(bytes, i + 3) << 24);
    r =
      entry(3840 + (r & 0xff)) ^
      entry(3584 + ((r >>> 8) & 0xff)) ^
      entry(3328 + ((r >>> 16) & 0xff)) ^
      entry(3072 + (r >>> 24)) ^
      entry(2816 + byteAt(bytes, i + 4)) ^
      entry(2560 + byteAt(bytes, i + 5)) ^
      entry(2304 + byteAt(bytes, i + 6)) ^
      entry(2048 + byteAt(bytes, i + 7)) ^
      entry(1792 + byteAt(bytes, i + 8)) ^
      entry(1536 + byteAt(bytes, i + 9)) ^
      entry(1280 + byteAt(bytes, i + 10)) ^
      entry(1024 + byteAt(bytes, i + 11)) ^
      entry(768 + byteAt(bytes, i + 12)) ^
      entry(512 + byteAt(bytes, i + 13)) ^
      entry(256 + byteAt(bytes, i + 14)) ^
      entry(byteAt(bytes, i + 15));
  }
  for (; i < end; i++) r = entry((r ^ byteAt(bytes, i)) & 0xff) ^ (r >>> 8);
  return r;
}
