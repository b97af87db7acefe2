/**
 * What is in a frame's head.
 *
 *  0              3      4       5                9
 *  | length: u24 | type | flags | stream id: u31 |   big-endian; RFC 9113, 4.1
 */

export const FRAME_HEAD_BYTES = 9;

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = {
  /** Of SETTINGS and PING. */
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** @see RFC 9113, 6.5.2 */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const SETTING_BYTES = 6;
export const PING_BYTES = 8;

/** What a peer may send as long as it was told nothing else; we tell it nothing else. */
export const FRAME_BYTES_DEFAULT = 16_384;
export const FRAME_BYTES_MAX = 16_777_215;
export const WINDOW_BYTES_DEFAULT = 65_535;
export const WINDOW_BYTES_MAX: number = 2 ** 31 - 1;
export const STREAM_ID_MAX: number = 2 ** 31 - 1;

export const PREFACE: string = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** @returns the offset behind it */
export function writeFrameHead(
  into: Uint8Array,
  offset: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): number {
  into[offset] = length >>> 16;
  into[offset + 1] = length >>> 8;
  into[offset + 2] = length;
  into[offset + 3] = type;
  into[offset + 4] = flags;
  into[offset + 5] = id >>> 24;
  into[offset + 6] = id >>> 16;
  into[offset + 7] = id >>> 8;
  into[offset + 8] = id;
  return offset + FRAME_HEAD_BYTES;
}

/** A big-endian integer of four bytes, as a signed one where the top bit is set. */
export function int32At(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number)
  );
}

export function writeInt32(into: Uint8Array, offset: number, value: number): void {
  into[offset] = value >>> 24;
  into[offset + 1] = value >>> 16;
  into[offset + 2] = value >>> 8;
  into[offset + 3] = value;
}
