const CHUNK_BYTES = 16 * 1024;

interface Chunk {
  readonly bytes: Uint8Array;
  /** Another extent holds it too: copied before it is written. */
  shared: boolean;
}

/**
 * The bytes of one file in memory. A copy costs a pointer per 16 KiB, so that a test can afford one at every event;
 * what was never written, or cut away, reads as zeros.
 */
export class Extent {
  #size = 0;
  /** Bytes at and after `#size` are zero in every chunk; a missing chunk is all zeros. */
  readonly #chunks: (Chunk | undefined)[] = [];

  get size(): number {
    return this.#size;
  }

  copy(): Extent {
    const twin = new Extent();
    twin.#size = this.#size;
    for (const chunk of this.#chunks) {
      if (chunk) chunk.shared = true;
      twin.#chunks.push(chunk);
    }
    return twin;
  }

  /** Reads what there is into `into`; returns how many bytes that was. */
  read(offsetBytes: number, into: Uint8Array): number {
    const end = Math.min(offsetBytes + into.length, this.#size);
    for (let at = offsetBytes; at < end; ) {
      const start = at % CHUNK_BYTES;
      const n = Math.min(CHUNK_BYTES - start, end - at);
      const target = into.subarray(at - offsetBytes, at - offsetBytes + n);
      const chunk = this.#chunks[(at - start) / CHUNK_BYTES];
      if (chunk) target.set(chunk.bytes.subarray(start, start + n));
      else target.fill(0);
      at += n;
    }
    return Math.max(0, end - offsetBytes);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#size = Math.max(this.#size, offsetBytes + bytes.length);
    for (let done = 0; done < bytes.length; ) {
      const at = offsetBytes + done;
      const start = at % CHUNK_BYTES;
      const n = Math.min(CHUNK_BYTES - start, bytes.length - done);
      this.#own((at - start) / CHUNK_BYTES).set(bytes.subarray(done, done + n), start);
      done += n;
    }
  }

  /** Zeros within the file; its length stays. */
  zero(fromBytes: number, toBytes: number): void {
    const end = Math.min(toBytes, this.#size);
    for (let at = fromBytes; at < end; ) {
      const start = at % CHUNK_BYTES;
      const n = Math.min(CHUNK_BYTES - start, end - at);
      const index = (at - start) / CHUNK_BYTES;
      if (this.#chunks[index]) this.#own(index).fill(0, start, start + n);
      at += n;
    }
  }

  truncate(sizeBytes: number): void {
    this.zero(sizeBytes, Math.ceil(sizeBytes / CHUNK_BYTES) * CHUNK_BYTES);
    this.#chunks.length = Math.min(this.#chunks.length, Math.ceil(sizeBytes / CHUNK_BYTES));
    this.#size = sizeBytes;
  }

  #own(index: number): Uint8Array {
    const old = this.#chunks[index];
    if (old && !old.shared) return old.bytes;
    while (this.#chunks.length < index) this.#chunks.push(undefined);
    const bytes = old ? old.bytes.slice() : new Uint8Array(CHUNK_BYTES);
    this.#chunks[index] = { bytes, shared: false };
    return bytes;
  }
}
