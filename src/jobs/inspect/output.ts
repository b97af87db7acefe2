/**
 * Where a report goes: through at once, or held back until it is known to be true.
 *
 * What was printed cannot be taken back, and of a file that a server writes nobody knows until the end whether what
 * was read is one state of it. So such a report is kept: 16 MiB in memory, beyond that in a temporary file that has no
 * name any more (nothing is left behind, whatever ends the process).
 */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whoever read the report has gone away (`| head`): no error, only the end. */
export class OutputClosed extends Error {
  override readonly name: string = "OutputClosed";
}

const PIECE_BYTES = 64 * 1024;
const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** Between two attempts at a pipe that is full and does not wait for its reader by itself. */
const RETRY_MS = 2;

export class Output {
  readonly #fd: number;
  #pending = "";
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #spill: number | undefined;
  #spillBytes = 0;

  /** @param fd  stays the caller's */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Begins a report that goes through as it comes, in pieces: a report that fails early leaves nothing printed. */
  letThrough(head: string): void {
    this.#forget();
    this.#held = undefined;
    this.write(head);
  }

  /** Begins a report that is held back; one that was held before is forgotten. */
  hold(): void {
    this.#forget();
    this.#held = [];
  }

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= PIECE_BYTES) this.#flush();
  }

  /** Lets what was held go, behind `head`; without a report held, only what is left in memory goes out. */
  end(head = ""): void {
    this.#flush();
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      writeAll(this.#fd, Buffer.from(head));
      if (this.#spill !== undefined) this.#copySpill(this.#spill);
      for (const bytes of held) writeAll(this.#fd, bytes);
    }
    this.#forget();
  }

  /** Gives back what was held, unprinted. */
  close(): void {
    this.#forget();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending);
    this.#pending = "";
    if (this.#held === undefined) {
      writeAll(this.#fd, bytes);
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes < HELD_BYTES_MAX) return;
    this.#spill ??= openNameless();
    for (const each of this.#held) {
      writeAll(this.#spill, each);
      this.#spillBytes += each.length;
    }
    this.#held = [];
    this.#heldBytes = 0;
  }

  #copySpill(spill: number): void {
    const piece = new Uint8Array(1024 * 1024);
    for (let at = 0; at < this.#spillBytes; ) {
      const got = readSync(spill, piece, 0, piece.length, at);
      if (got === 0) throw new Error("the temporary file ended early");
      writeAll(this.#fd, piece.subarray(0, Math.min(got, this.#spillBytes - at)));
      at += got;
    }
  }

  #forget(): void {
    this.#pending = "";
    this.#held = this.#held && [];
    this.#heldBytes = 0;
    this.#spillBytes = 0;
    if (this.#spill !== undefined) closeSync(this.#spill);
    this.#spill = undefined;
  }
}

function openNameless(): number {
  const path = join(tmpdir(), `strata-inspect-${randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return fd;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new OutputClosed();
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
