/**
 * Takes frames apart where they lie in the socket's chunks. Only what straddles chunks is put together in a buffer of its
 * own, and the payload of DATA not even then: it is passed on as it comes.
 *
 * @see RFC 9113, 3.4 and 4
 */
import { ErrorCode } from "./error-code.ts";
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_HEAD_BYTES,
  FrameType,
  int32At,
  PREFACE,
  STREAM_ID_MAX,
} from "./frame.ts";

export interface FrameHandler {
  /** Nothing more is to be read. */
  readonly ended: boolean;
  /** The connection is to end: nothing that follows can be understood. */
  fail(code: ErrorCode): void;
  /** Whether a frame of this type may come now at all; if not, it has failed. */
  admit(type: number, id: number): boolean;
  /** A whole frame, of any type but DATA without padding. */
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void;
  /** DATA without padding: its head, its payload in pieces, its end. */
  beginData(id: number, length: number, flags: number): void;
  data(bytes: Buffer, start: number, end: number): void;
  endData(): void;
}

const PREFACE_BYTES: Buffer = Buffer.from(PREFACE, "latin1");
const NOTHING: Buffer = Buffer.alloc(0);

export class FrameReader {
  readonly #handler: FrameHandler;
  /** Of the preface, seen so far. */
  #prefaceBytes = 0;
  /** The frame that is not whole yet: its head, then its payload. */
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headBytes = 0;
  #payload: Buffer = NOTHING;
  #payloadBytes = 0;
  /** Of a DATA frame. */
  #dataLeft = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  take(chunk: Buffer): void {
    const handler = this.#handler;
    const end = chunk.length;
    let at = 0;
    if (this.#prefaceBytes < PREFACE_BYTES.length) {
      at = this.#takePreface(chunk);
      if (at < 0) return;
    }
    if (this.#headBytes > 0 || this.#dataLeft > 0) at = this.#continue(chunk, at);
    while (end - at >= FRAME_HEAD_BYTES && !handler.ended) {
      const word = int32At(chunk, at);
      const length = word >>> 8;
      const type = word & 0xff;
      const flags = chunk[at + 4] as number;
      const id = int32At(chunk, at + 5) & STREAM_ID_MAX;
      if (isPlainData(type, flags)) {
        if (!this.#admit(length, type, id)) return;
        this.#dataLeft = length;
        handler.beginData(id, length, flags);
        at = this.#takeData(chunk, at + FRAME_HEAD_BYTES);
        continue;
      }
      const next = at + FRAME_HEAD_BYTES + length;
      if (next > end) break;
      if (!this.#admit(length, type, id)) return;
      handler.frame(type, flags, id, chunk, at + FRAME_HEAD_BYTES, next);
      at = next;
    }
    if (at < end && !handler.ended) this.#continue(chunk, at);
  }

  /** Holds nothing any more. */
  drop(): void {
    this.#payload = NOTHING;
  }

  /** @returns where it ends in the chunk; -1: it is not one */
  #takePreface(chunk: Buffer): number {
    const bytes = Math.min(PREFACE_BYTES.length - this.#prefaceBytes, chunk.length);
    for (let i = 0; i < bytes; i++) {
      if (chunk[i] !== PREFACE_BYTES[this.#prefaceBytes + i]) {
        this.#handler.fail(ErrorCode.protocolError);
        return -1;
      }
    }
    this.#prefaceBytes += bytes;
    return bytes;
  }

  #admit(length: number, type: number, id: number): boolean {
    if (length <= FRAME_BYTES_DEFAULT) return this.#handler.admit(type, id);
    this.#handler.fail(ErrorCode.frameSizeError);
    return false;
  }

  /**
   * Goes on with the frame that began in an earlier chunk, or begins one that does not end in this.
   * @returns where that frame ends, or the end of the chunk
   */
  #continue(chunk: Buffer, start: number): number {
    if (this.#dataLeft > 0) return this.#takeData(chunk, start);
    const end = chunk.length;
    let at = start;
    if (this.#payload === NOTHING) {
      while (this.#headBytes < FRAME_HEAD_BYTES && at < end) {
        this.#head[this.#headBytes++] = chunk[at++] as number;
      }
      if (this.#headBytes < FRAME_HEAD_BYTES) return end;
    }
    const head = this.#head;
    const word = int32At(head, 0);
    const length = word >>> 8;
    const type = word & 0xff;
    const flags = head[4] as number;
    const id = int32At(head, 5) & STREAM_ID_MAX;
    if (this.#payload === NOTHING) {
      if (!this.#admit(length, type, id)) return end;
      if (isPlainData(type, flags)) {
        this.#headBytes = 0;
        this.#dataLeft = length;
        this.#handler.beginData(id, length, flags);
        return this.#takeData(chunk, at);
      }
      if (length > 0) this.#payload = Buffer.allocUnsafeSlow(length);
      this.#payloadBytes = 0;
    }
    const bytes = Math.min(length - this.#payloadBytes, end - at);
    if (bytes > 0) this.#payload.set(chunk.subarray(at, at + bytes), this.#payloadBytes);
    this.#payloadBytes += bytes;
    if (this.#payloadBytes < length) return end;
    const payload = this.#payload;
    this.#headBytes = 0;
    this.#payload = NOTHING;
    this.#handler.frame(type, flags, id, payload, 0, length);
    return at + bytes;
  }

  #takeData(chunk: Buffer, start: number): number {
    const bytes = Math.min(this.#dataLeft, chunk.length - start);
    this.#dataLeft -= bytes;
    if (bytes > 0) this.#handler.data(chunk, start, start + bytes);
    if (this.#dataLeft === 0) this.#handler.endData();
    return start + bytes;
  }
}

function isPlainData(type: number, flags: number): boolean {
  return type === FrameType.data && (flags & Flag.padded) === 0;
}
