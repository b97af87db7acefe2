/**
 * Takes a body apart into messages: a byte of flags, four of length, the message. One that lies whole in the bytes
 * that came is handed on where it lies; others are gathered in a buffer that grows with what has come: eight times that
 * while it is small, twice later, and never with what was announced.
 */
import { uninitialized } from "../base/bytes.ts";
import { EMPTY_BYTES } from "../proto/protobuf.ts";

export const PREFIX_BYTES = 5;

const FIRST_BUFFER_BYTES = 16 * 1024;

/** Of a message of 64 KiB the first frame has a quarter: it need not be moved for each of the others. */
const FIRST_GROWTH = 8;
const SMALL_BUFFER_BYTES = 128 * 1024;

export interface MessageSink {
  /** @param flags  the byte before the length: 0, or 1 for a compressed message. @returns false: no more */
  message(flags: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** A message of so many bytes is announced that is larger than is allowed: the reader has stopped. */
  tooLarge(lengthBytes: number): void;
  /** So many bytes more (less, if negative) are held for a message that is not whole. @returns false: no more */
  holds(bytes: number): boolean;
}

export class MessageReader {
  readonly #maxBytes: number;
  /** Of the prefix: how much is there, and what it says so far. */
  #prefixBytes = 0;
  #flags = 0;
  #length = 0;
  /** The message, as far as it has come. */
  #buffer: Uint8Array = EMPTY_BYTES;
  #filled = 0;
  #stopped = false;

  /** @param maxBytes  of one message */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the bytes so far are whole messages. */
  get atBoundary(): boolean {
    return this.#prefixBytes === 0;
  }

  /** The next bytes of the body. They may be handed on as they are: nobody changes them any more. */
  push(bytes: Uint8Array, start: number, end: number, sink: MessageSink): void {
    let at = start;
    while (at < end && !this.#stopped) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        at = this.#readPrefix(bytes, at, end);
        if (this.#prefixBytes < PREFIX_BYTES) return;
        if (this.#length > this.#maxBytes) {
          this.#stopped = true;
          sink.tooLarge(this.#length);
          return;
        }
      }
      const wanted = this.#length - this.#filled;
      if (this.#filled === 0 && wanted <= end - at) {
        this.#prefixBytes = 0;
        if (!sink.message(this.#flags, bytes, at, at + wanted)) this.#stopped = true;
        at += wanted;
      } else {
        at = this.#gather(bytes, at, Math.min(end, at + wanted), sink);
      }
    }
  }

  /** No more messages; what is held is let go. */
  stop(sink: MessageSink): void {
    this.#stopped = true;
    this.#release(sink);
  }

  #readPrefix(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    for (; at < end && this.#prefixBytes < PREFIX_BYTES; at++) {
      const byte = bytes[at] as number;
      if (this.#prefixBytes === 0) {
        this.#flags = byte;
        this.#length = 0;
      } else this.#length = this.#length * 256 + byte;
      this.#prefixBytes++;
    }
    return at;
  }

  #gather(bytes: Uint8Array, at: number, to: number, sink: MessageSink): number {
    const filled = this.#filled + to - at;
    if (filled > this.#buffer.length) {
      const ahead = Math.min(FIRST_GROWTH * filled, SMALL_BUFFER_BYTES);
      const room = Math.max(filled, 2 * this.#buffer.length, ahead, FIRST_BUFFER_BYTES);
      const grown = uninitialized(Math.min(this.#length, room));
      if (!sink.holds(grown.length - this.#buffer.length)) {
        this.#stopped = true;
        return to;
      }
      grown.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes.subarray(at, to), this.#filled);
    this.#filled = filled;
    if (filled === this.#length) {
      const whole = this.#buffer;
      this.#prefixBytes = 0;
      this.#release(sink);
      if (!sink.message(this.#flags, whole, 0, filled)) this.#stopped = true;
    }
    return to;
  }

  #release(sink: MessageSink): void {
    if (this.#buffer.length > 0) sink.holds(-this.#buffer.length);
    this.#buffer = EMPTY_BYTES;
    this.#filled = 0;
  }
}
