/**
 * Reading, writing and comparing bytes in place. The one file of `src/` that touches `DataView`, so that every
 * integer in the formats is little-endian (bbolt, etcd's log) or big-endian (etcd's keys) by name, never by host.
 */

const TWO_32 = 2 ** 32;

/** A view over exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Memory of its own that is not zeroed: every byte is written before it is read. */
export function uninitialized(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(buffer, byteOffset, sizeBytes);
}

export function readU16(view: DataView, offset: number): number {
  return view.getUint16(offset, true);
}

export function readU32(view: DataView, offset: number): number {
  return view.getUint32(offset, true);
}

/** A u64 as a number: exact below 2^53, beyond that rounded (callers bound it before they trust it). */
export function readU64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * TWO_32;
}

export function readU64Big(view: DataView, offset: number): bigint {
  return view.getBigUint64(offset, true);
}

export function readI64Big(view: DataView, offset: number): bigint {
  return view.getBigInt64(offset, true);
}

export function readU32BE(view: DataView, offset: number): number {
  return view.getUint32(offset);
}

export function readU64BE(view: DataView, offset: number): number {
  return view.getUint32(offset) * TWO_32 + view.getUint32(offset + 4);
}

export function readU64BEBig(view: DataView, offset: number): bigint {
  return view.getBigUint64(offset);
}

export function readI64BEBig(view: DataView, offset: number): bigint {
  return view.getBigInt64(offset);
}

export function writeU16(view: DataView, offset: number, value: number): void {
  view.setUint16(offset, value, true);
}

export function writeU32(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value, true);
}

export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % TWO_32, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_32), true);
}

export function writeU64Big(view: DataView, offset: number, value: bigint): void {
  view.setBigUint64(offset, value, true);
}

export function writeU64BEBig(view: DataView, offset: number, value: bigint): void {
  view.setBigUint64(offset, value);
}

export function writeU64BE(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / TWO_32));
  view.setUint32(offset + 4, value % TWO_32);
}

/** The four bytes at `offset` as a number: of two such numbers the smaller is of the bytes that sort first. */
export function wordAt(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  );
}

/** Bytewise order of two ranges: negative, zero or positive. Allocates nothing. */
export function compareRanges(
  a: Uint8Array,
  aOffset: number,
  aBytes: number,
  b: Uint8Array,
  bOffset: number,
  bBytes: number,
): number {
  const shared = Math.min(aBytes, bBytes);
  for (let i = 0; i < shared; i++) {
    const difference = (a[aOffset + i] as number) - (b[bOffset + i] as number);
    if (difference !== 0) return difference;
  }
  return aBytes - bBytes;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** One character per byte: a cheap, exact, ordered stand-in for a key in a Map. */
export function latin1(bytes: Uint8Array, offset = 0, end: number = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, end - offset).toString("latin1");
}

/** Below this, a byte loop beats making a view and calling `set`. */
const COPY_LOOP_MAX = 48;

/** Copies `length` bytes between buffers that may not overlap. */
export function copyBytes(
  to: Uint8Array,
  toOffset: number,
  from: Uint8Array,
  fromOffset: number,
  length: number,
): void {
  if (length <= COPY_LOOP_MAX) {
    for (let i = 0; i < length; i++) to[toOffset + i] = from[fromOffset + i] as number;
  } else {
    to.set(from.subarray(fromOffset, fromOffset + length), toOffset);
  }
}
