/**
 * What a connection is about to write. Small things are gathered in one buffer, large ones stand between as they are.
 * Buffers come from a common store, and most go back as soon as they are written: idle connections hold none.
 */
import type { Duplex } from "node:stream";

/** Two full frames, or some hundred small responses. */
const BUFFER_BYTES = 32_768;

const SPARE_MAX = 64;
const spare: Buffer[] = [];

function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

const NONE: Buffer = Buffer.alloc(0);

export class Output {
  /** Where to write, from `length` on, after `reserve`. */
  buffer: Buffer = NONE;
  length = 0;
  /** How much of `buffer` is in `#pieces` already. */
  #sealed = 0;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  /** Buffers that `#pieces` are of. */
  #full: Buffer[] = [];

  get bytes(): number {
    return this.#piecesBytes + this.length - this.#sealed;
  }

  /** Makes room for so many bytes in `buffer`. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    this.#seal();
    if (this.buffer !== NONE) this.#full.push(this.buffer);
    this.buffer = bytes <= BUFFER_BYTES ? takeBuffer() : Buffer.allocUnsafeSlow(bytes);
    this.length = 0;
    this.#sealed = 0;
  }

  /** @param own  the bytes will not change any more */
  append(bytes: Uint8Array, start: number, end: number, own: boolean): void {
    if (own && end - start > BUFFER_BYTES / 8) {
      this.#seal();
      this.#pieces.push(bytes.subarray(start, end));
      this.#piecesBytes += end - start;
      return;
    }
    this.reserve(end - start);
    this.length = copy(bytes, start, end, this.buffer, this.length);
  }

  #seal(): void {
    if (this.length === this.#sealed) return;
    this.#pieces.push(this.buffer.subarray(this.#sealed, this.length));
    this.#piecesBytes += this.length - this.#sealed;
    this.#sealed = this.length;
  }

  /**
   * Hands all over.
   * @param written  called when the system has all of it; not if the socket breaks before
   */
  writeTo(socket: Duplex, written?: () => void): void {
    if (written !== undefined) {
      this.#writeAndTell(socket, written);
      return;
    }
    if (this.#pieces.length > 0) {
      this.#seal();
      socket.cork();
      for (const piece of this.#pieces) socket.write(piece);
      socket.uncork();
    } else if (this.length > 0) {
      const bytes = this.buffer.subarray(0, this.length);
      // A socket that is behind will keep it for a while: it need not keep the whole buffer for a few bytes.
      if (socket.writableLength > 0) {
        socket.write(Buffer.from(bytes));
        giveBack(this.buffer);
        this.drop();
        return;
      }
      socket.write(bytes);
    }
    // Nothing is left with the socket: the system has copied it, or TLS has.
    if (socket.writableLength === 0) {
      giveBack(this.buffer);
      for (const buffer of this.#full) giveBack(buffer);
    }
    this.drop();
  }

  /** Its buffers are given back when that is certain, and not only if the socket has taken them at once. */
  #writeAndTell(socket: Duplex, written: () => void): void {
    this.#seal();
    const buffers = [...this.#full, this.buffer];
    const last = this.#pieces.pop() ?? NONE;
    socket.cork();
    for (const piece of this.#pieces) socket.write(piece);
    socket.write(last, (error) => {
      if (error) return;
      for (const buffer of buffers) giveBack(buffer);
      written();
    });
    socket.uncork();
    this.drop();
  }

  /** Forgets all. */
  drop(): void {
    this.buffer = NONE;
    this.length = 0;
    this.#sealed = 0;
    this.#pieces.length = 0;
    this.#piecesBytes = 0;
    this.#full.length = 0;
  }
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === BUFFER_BYTES && spare.length < SPARE_MAX) spare.push(buffer);
}

/** Below this a loop is quicker than a call. */
const LOOP_BYTES = 32;

function copy(from: Uint8Array, start: number, end: number, into: Buffer, offset: number): number {
  if (end - start > LOOP_BYTES) {
    into.set(start === 0 && end === from.length ? from : from.subarray(start, end), offset);
    return offset + end - start;
  }
  let to = offset;
  for (let at = start; at < end; at++) into[to++] = from[at] as number;
  return to;
}
