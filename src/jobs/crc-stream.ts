/** A running CRC-32C over many small pieces: gathered where the hash runs in place, and hashed in large ones. */
import { type Crc32cArena, createCrc32cArena } from "../../native-free/crc32c.ts";

export const CRC32C_ARENA_BYTES: number = 128 * 1024;

export class CrcStream {
  readonly #arena: Crc32cArena;
  readonly #capacity: number;
  #filled = 0;
  #crc = 0;
  #flushedBytes = 0;

  constructor(capacityBytes: number) {
    this.#arena = createCrc32cArena(capacityBytes);
    this.#capacity = capacityBytes;
  }

  update(bytes: Uint8Array, offset: number, length: number): void {
    let done = 0;
    while (done < length) {
      if (this.#filled === this.#capacity) this.#flush();
      const piece = Math.min(length - done, this.#capacity - this.#filled);
      const from = offset + done;
      this.#arena.bytes.set(bytes.subarray(from, from + piece), this.#filled);
      this.#filled += piece;
      done += piece;
    }
  }

  /** How much there was so far. */
  get hashedBytes(): number {
    return this.#flushedBytes + this.#filled;
  }

  /** The CRC of everything so far. */
  value(): number {
    this.#flush();
    return this.#crc;
  }

  #flush(): void {
    this.#crc = this.#arena.crc(0, this.#filled, this.#crc);
    this.#flushedBytes += this.#filled;
    this.#filled = 0;
  }
}
