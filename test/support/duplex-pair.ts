/**
 * Two ends of a socket that is not one. What is written at one end is read at the other, in the same chunks; a write is
 * done only when the other end has been asked for more, so that a reader who stops is felt.
 */
import { Duplex } from "node:stream";

class End extends Duplex {
  constructor() {
    super({ allowHalfOpen: false });
  }

  other: End | undefined;
  #waiting: (() => void) | undefined;

  override _read(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.other?.receive(chunk, done);
  }

  override _final(done: () => void): void {
    this.other?.receive(null, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this;
    this.other = undefined;
    this.#waiting?.();
    this.#waiting = undefined;
    process.nextTick(() => other?.destroy());
    done(error);
  }

  receive(chunk: Buffer | null, done: () => void): void {
    // Copied: a socket's buffer is the writer's again as soon as the write is done.
    const more =
      this.destroyed || this.readableEnded || this.push(chunk === null ? null : Buffer.from(chunk));
    if (more || chunk === null) done();
    else this.#waiting = done;
  }
}

export function duplexPair(): readonly [Duplex, Duplex] {
  const ends = [new End(), new End()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}
