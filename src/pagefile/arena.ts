/**
 * Where a write transaction keeps the keys and values that it was given: copied once, so that the caller may use its
 * buffers again, and side by side, so that what was put in order is written in one piece.
 */
const FIRST_BYTES = 16 * 1024;
const CHUNK_BYTES = 1024 * 1024;

export class Arena {
  /** The chunk of the last copy, and where in it the copy lies. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  #end = 0;
  #chunkBytes = FIRST_BYTES;

  /** Copies key‖value in; their place is then `bytes`, `offset`. */
  copy(key: Uint8Array, value: Uint8Array): void {
    const length = key.length + value.length;
    if (this.#end + length > this.bytes.length) {
      const fresh = Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, length));
      this.bytes = new Uint8Array(fresh.buffer, fresh.byteOffset, fresh.length);
      this.#end = 0;
      this.#chunkBytes = Math.min(this.#chunkBytes * 4, CHUNK_BYTES);
    }
    this.offset = this.#end;
    this.bytes.set(key, this.#end);
    this.bytes.set(value, this.#end + key.length);
    this.#end += length;
  }
}
