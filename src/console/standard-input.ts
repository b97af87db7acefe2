/**
 * The standard input, read bit by bit by whoever needs some of it, each going on where the last one has stopped. It is
 * paused in between: a terminal or a pipe that nobody reads any more does not keep the process alive.
 */
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Io } from "./io.ts";

const NEWLINE = 10;
const inputs = new WeakMap<Readable, StandardInput>();

export class StandardInput {
  readonly #stream: Readable;
  #unread: Buffer = Buffer.alloc(0);
  #ended = false;

  private constructor(stream: Readable) {
    this.#stream = stream;
  }

  /** The one that all share. */
  static of({ stdin }: Pick<Io, "stdin">): StandardInput {
    const known = inputs.get(stdin);
    if (known !== undefined) return known;
    const made = new StandardInput(stdin);
    inputs.set(stdin, made);
    return made;
  }

  /** Without its end; the last one may have none. Undefined when nothing is left. @throws (rejects) what reading fails with */
  async line(): Promise<Uint8Array | undefined> {
    let end = this.#unread.indexOf(NEWLINE);
    while (end < 0) {
      const more = await this.#next();
      if (more === undefined) break;
      end = more.indexOf(NEWLINE);
      if (end >= 0) end += this.#unread.length;
      this.#unread = Buffer.concat([this.#unread, more]);
    }
    if (end < 0) {
      if (this.#unread.length === 0) return undefined;
      return this.#take(this.#unread.length);
    }
    const line = this.#take(end);
    this.#take(1);
    return line;
  }

  /** All that is left. */
  async rest(): Promise<Uint8Array> {
    const chunks = [this.#take(this.#unread.length)];
    for (let more = await this.#next(); more !== undefined; more = await this.#next()) {
      chunks.push(more);
    }
    return Buffer.concat(chunks);
  }

  /** What comes next, of no certain size, but of `max` bytes at most. Undefined when nothing is left. */
  async some(max: number): Promise<Uint8Array | undefined> {
    if (this.#unread.length === 0) {
      const more = await this.#next();
      if (more === undefined) return undefined;
      this.#unread = more;
    }
    return this.#take(Math.min(max, this.#unread.length));
  }

  #take(bytes: number): Buffer {
    const taken = this.#unread.subarray(0, bytes);
    this.#unread = this.#unread.subarray(bytes);
    return taken;
  }

  #next(): Promise<Buffer | undefined> {
    const stream: Readable & Partial<Pick<Socket, "ref" | "unref">> = this.#stream;
    if (this.#ended || stream.readableEnded) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const done = (): void => {
        stream.pause();
        // A paused pipe still reads ahead, and would keep the process alive.
        stream.unref?.();
        stream.off("data", data).off("end", end).off("close", end).off("error", failed);
      };
      const data = (chunk: Buffer | string): void => {
        done();
        resolve(Buffer.from(chunk));
      };
      const end = (): void => {
        done();
        this.#ended = true;
        resolve(undefined);
      };
      const failed = (error: Error): void => {
        done();
        reject(error);
      };
      stream.on("data", data).once("end", end).once("close", end).once("error", failed);
      stream.ref?.();
      stream.resume();
    });
  }
}
