/**
 * The frame around each record:
 *
 *     0        7         8          8 + n      8 + n + p
 *     | n: u56 | top: u8 | record … | zeros …  |   n little-endian, p = (8 - n % 8) % 8
 *
 * `top` is 0x80 | p, or 0 where p is 0. So every frame begins at a multiple of 8, and a length never lies across two
 * sectors: a disk has it whole or not at all.
 *
 * @see etcd server/storage/wal/encoder.go encodeFrameSize
 */
import { readU32, writeU32 } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";

export const FRAME_HEADER_BYTES = 8;

/** What a disk replaces whole, as etcd supposes. */
export const SECTOR_BYTES = 512;

invariant(SECTOR_BYTES % FRAME_HEADER_BYTES === 0, "a length field lies in one sector");

/**
 * etcd 3.4 and the first of 3.5 read no record of this length or more, so none is written. Newer ones have no limit,
 * and what they wrote is read.
 */
export const RECORD_BYTES_LIMIT: number = 10 * 1024 * 1024;

export function paddingOf(recordBytes: number): number {
  return (8 - (recordBytes % 8)) % 8;
}

/** Bytes of the whole frame. */
export function frameBytes(recordBytes: number): number {
  return FRAME_HEADER_BYTES + recordBytes + paddingOf(recordBytes);
}

/** Writes the length field. */
export function putFrameHeader(view: DataView, at: number, recordBytes: number): void {
  invariant(recordBytes < 2 ** 32, "a record that is written has a 32-bit length", { recordBytes });
  writeU32(view, at, recordBytes);
  writeU32(view, at + 4, topByte(recordBytes) * 2 ** 24);
}

function topByte(recordBytes: number): number {
  const padding = paddingOf(recordBytes);
  return padding === 0 ? 0 : 0x80 | padding;
}

/** Of a length field that is not zero: how long the record is; undefined where padding and length do not agree. */
export function recordBytesAt(view: DataView, at: number): number | undefined {
  const high = readU32(view, at + 4);
  const recordBytes = (high % 2 ** 24) * 2 ** 32 + readU32(view, at);
  return high >>> 24 === topByte(recordBytes) ? recordBytes : undefined;
}

/** Whether the length field says that nothing follows. */
export function isEndAt(view: DataView, at: number): boolean {
  return readU32(view, at) === 0 && readU32(view, at + 4) === 0;
}

/**
 * Whether a record that is not what it should be was cut short by a power loss: one of the sectors that it lies in
 * never came to the disk, so that all the record has there is zeros.
 *
 * @param offset  of `bytes[start]` in the file; what counts as a piece depends on it.
 * @see etcd server/storage/wal/decoder.go isTornEntry
 */
export function isTorn(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
  for (let at = start; at < end; ) {
    const sector = offset + at - start;
    const next = Math.min(end, at + SECTOR_BYTES - (sector % SECTOR_BYTES));
    if (isZero(bytes, at, next)) return true;
    at = next;
  }
  return false;
}

export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
