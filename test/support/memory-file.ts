import { type RandomAccessFile, ShortReadError } from "../../native-free/file.ts";
import { systemError } from "../../native-free/system-error.ts";

/** A file in memory as quick as an array, and as strict about offsets as `node:fs`. */
export class MemoryFile implements RandomAccessFile {
  readonly path: string;
  #bytes: Uint8Array;
  #size: number;
  #open = true;

  /** Takes `bytes` over. */
  constructor(bytes: Uint8Array = new Uint8Array(0), path = "/memory/db") {
    this.path = path;
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  /** What it holds now; a view until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  size(): number {
    this.#mustBeOpen("fstat");
    return this.#size;
  }

  read(offsetBytes: number, into: Uint8Array): void {
    const got = this.readSome(offsetBytes, into);
    if (got < into.length) throw new ShortReadError(this.path, offsetBytes, into.length, got);
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    this.#mustBeOpen("read");
    assertOffset(offsetBytes);
    const some = this.#bytes.subarray(offsetBytes, Math.min(this.#size, offsetBytes + into.length));
    into.set(some);
    return some.length;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#mustBeOpen("write");
    assertOffset(offsetBytes);
    if (bytes.length === 0) return;
    this.#reserve(offsetBytes + bytes.length);
    this.#bytes.set(bytes, offsetBytes);
    this.#size = Math.max(this.#size, offsetBytes + bytes.length);
  }

  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void {
    let at = offsetBytes;
    for (const part of parts) {
      this.write(at, part);
      at += part.length;
    }
  }

  truncate(sizeBytes: number): void {
    this.#mustBeOpen("ftruncate");
    assertOffset(sizeBytes);
    this.#reserve(sizeBytes);
    this.#bytes.fill(0, Math.min(sizeBytes, this.#size));
    this.#size = sizeBytes;
  }

  sync(): void {
    this.#mustBeOpen("fdatasync");
  }

  close(): void {
    this.#open = false;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(sizeBytes, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #mustBeOpen(syscall: string): void {
    if (!this.#open) throw systemError("EBADF", syscall);
  }
}

/** Node refuses a position that is no safe integer, as the programmer's error that it is. */
function assertOffset(offsetBytes: number): void {
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0) {
    throw new RangeError(`The value of "position" is out of range: ${offsetBytes}`);
  }
}
