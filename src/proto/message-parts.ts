/**
 * A message that is too large to be written in one piece of memory, from its first field to its last. Small fields are
 * gathered, large ones go out as they are.
 */
import type { MessageWriter } from "./message-writer.ts";
import { putVarint, varintBytes } from "./protobuf.ts";

/** Beyond this, a part is sent without being copied: see `UnaryCall.reply`. */
export const LARGE_PART_BYTES: number = 16 * 1024;

const CHUNK_BYTES_MIN: number = 64 * 1024;
const CHUNK_BYTES_MAX: number = 1024 * 1024;

const KVS_TAG = 2 * 8 + 2;
/** A tag and a length. */
const PREFIX_BYTES_MAX = 1 + 5;

export class MessageParts {
  readonly #parts: Uint8Array[] = [];
  #chunk: Uint8Array = new Uint8Array(0);
  /** What of the chunk is not among the parts yet. */
  #from = 0;
  #to = 0;

  /** As a field of a RangeResponse. */
  addKeyValue(kv: Uint8Array): void {
    const { length } = kv;
    const large = length > LARGE_PART_BYTES;
    this.#reserve(PREFIX_BYTES_MAX + (large ? 0 : length));
    this.#chunk[this.#to++] = KVS_TAG;
    this.#to = putVarint(this.#chunk, this.#to, length);
    if (large) {
      this.#flush();
      this.#parts.push(kv);
    } else {
      this.#chunk.set(kv, this.#to);
      this.#to += length;
    }
  }

  /** What `writer` has written, as it is. @param writer  one that hands out what is larger than LARGE_PART_BYTES */
  add(writer: MessageWriter): void {
    const written = writer.take();
    if (written.length > LARGE_PART_BYTES) {
      this.#flush();
      this.#parts.push(written);
      return;
    }
    this.#reserve(written.length);
    this.#chunk.set(written, this.#to);
    this.#to += written.length;
  }

  /** All of it; the builder is done. Nobody changes these bytes any more. */
  take(): readonly Uint8Array[] {
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    if (this.#to > this.#from) this.#parts.push(this.#chunk.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #reserve(bytes: number): void {
    if (this.#chunk.length - this.#to >= bytes) return;
    this.#flush();
    const doubled = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, this.#chunk.length * 2));
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(doubled, bytes));
    this.#from = 0;
    this.#to = 0;
  }
}

/** Whether a RangeResponse of these KeyValues is worth it. */
export function isLarge(kvs: readonly Uint8Array[]): boolean {
  let bytes = 0;
  for (const { length } of kvs) {
    bytes += 1 + varintBytes(length) + length;
    if (bytes > LARGE_PART_BYTES) return true;
  }
  return false;
}
