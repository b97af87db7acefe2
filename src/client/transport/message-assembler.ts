/** Bytes of a body to messages: each with five bytes before it, whether it is compressed and how long it is. */
import { GrpcStatus, RpcError } from "../status.ts";

export const PREFIX_BYTES = 5;

/** As it goes over the wire. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

export class MessageAssembler {
  readonly #maxBytes: number;
  /** What the server says it compresses with. */
  readonly #encoding: string;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  /** Of the message that is coming: what it is to have, what it has. */
  #bytes = 0;
  #have = 0;
  #parts: Uint8Array[] = [];

  constructor(maxBytes: number, encoding: string) {
    this.#maxBytes = maxBytes;
    this.#encoding = encoding;
  }

  /** Whether the body may end here. */
  get isBetweenMessages(): boolean {
    return this.#prefixBytes === 0;
  }

  /**
   * @param take  gets each message that is whole now, in memory of its own
   * @throws RpcError for one that is too large, compressed, or none
   */
  push(chunk: Uint8Array, take: (message: Uint8Array) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        this.#prefix[this.#prefixBytes++] = chunk[at++] as number;
        if (this.#prefixBytes < PREFIX_BYTES) continue;
        this.#bytes = this.#announced();
      }
      const part = chunk.subarray(at, at + this.#bytes - this.#have);
      at += part.length;
      this.#have += part.length;
      this.#parts.push(part);
      if (this.#have === this.#bytes) take(this.#whole());
    }
  }

  /** Bytes that the prefix promises. */
  #announced(): number {
    const [flag = 0] = this.#prefix;
    if (flag === 1) throw this.#compressed();
    if (flag !== 0) {
      throw new RpcError(GrpcStatus.internal, `grpc: received unexpected payload format ${flag}`);
    }
    const bytes = this.#prefix.readUInt32BE(1);
    if (bytes <= this.#maxBytes) return bytes;
    const what = `grpc: received message larger than max (${bytes} vs. ${this.#maxBytes})`;
    throw new RpcError(GrpcStatus.resourceExhausted, what);
  }

  #compressed(): RpcError {
    const { internal, unimplemented } = GrpcStatus;
    return this.#encoding === "" || this.#encoding === "identity"
      ? new RpcError(internal, "grpc: compressed flag set with identity or empty encoding")
      : new RpcError(
          unimplemented,
          `grpc: Decompressor is not installed for grpc-encoding "${this.#encoding}"`,
        );
  }

  /** Copied once: a message that is kept must not keep the much larger buffer that was read into. */
  #whole(): Uint8Array {
    const message = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      message.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#have = 0;
    this.#prefixBytes = 0;
    return message;
  }
}
