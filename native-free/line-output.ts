/**
 * Lines to a descriptor, beside the loop: what Go does with a thread that waits. One write at a time, so the lines keep
 * their order; what a slow reader has not taken is held up to a bound, and lines beyond it are dropped.
 */
import { write, writeSync } from "node:fs";

/** A pipe that Node has made non-blocking, with a reader that is behind. */
const RETRY_MS = 10;

export class LineOutput {
  readonly #fd: number;
  readonly #waitingBytesMax: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Taken off `waiting` and not yet written, the first `#done` bytes apart. */
  #block: Buffer | undefined;
  #done = 0;
  #busy = false;
  #broken = false;
  #onEmpty: (() => void)[] = [];

  constructor(fd: number, waitingBytesMax: number) {
    this.#fd = fd;
    this.#waitingBytesMax = waitingBytesMax;
  }

  write(line: string): void {
    if (this.#broken || this.#waitingBytes > this.#waitingBytesMax) return;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#next();
  }

  /** Resolves when everything is written, or cannot be. */
  async written(): Promise<void> {
    if (!this.#busy) return;
    await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  /** The same at once, for a process that ends now. What was on its way may be there twice then, never missing. */
  writeNow(): void {
    this.#take();
    const left = this.#block?.subarray(this.#done) ?? Buffer.of();
    this.#block = undefined;
    this.#broken = true;
    for (let at = 0, tries = 0; at < left.length && tries < 100; ) {
      try {
        at += writeSync(this.#fd, left, at);
        tries = 0;
      } catch (error) {
        if (!isRetried(error)) return;
        tries++;
      }
    }
  }

  #take(): void {
    const rest = this.#block?.subarray(this.#done) ?? Buffer.of();
    this.#block = Buffer.concat([rest, Buffer.from(this.#waiting.join(""))]);
    this.#done = 0;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #next(): void {
    if (this.#busy) return;
    if (this.#block === undefined) {
      if (this.#waiting.length === 0) {
        for (const told of this.#onEmpty.splice(0)) told();
        return;
      }
      this.#take();
    }
    this.#busy = true;
    this.#write();
  }

  #write(): void {
    const block = this.#block;
    if (block === undefined) {
      this.#wrote();
      return;
    }
    write(this.#fd, block, this.#done, block.length - this.#done, null, (error, bytes) => {
      if (error === null) this.#done += bytes;
      else if (isRetried(error)) {
        setTimeout(() => this.#write(), RETRY_MS);
        return;
      } else {
        // Its reader is gone, or its disk is full: there is nobody to tell.
        this.#broken = true;
        this.#waiting = [];
        this.#done = block.length;
      }
      if (this.#done < block.length) this.#write();
      else this.#wrote();
    });
  }

  #wrote(): void {
    this.#block = undefined;
    this.#done = 0;
    this.#busy = false;
    this.#next();
  }
}

function isRetried(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
