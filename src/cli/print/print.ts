/** The forms of an answer. A command offers some of them, and etcd's words refuse the rest. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { type OutputFormat, outputFormat } from "../output-format.ts";

export type Piece = string | Uint8Array;

/** Text ends its own lines. What may be long comes in pieces: then it is never in memory as a whole. */
type Shown = Piece | Iterable<Piece> | AsyncIterable<Piece>;

/** What is printed in each form, made when it is asked for. */
export type Views = Readonly<Partial<Record<OutputFormat, () => Shown | Promise<Shown>>>>;

/** @throws Failure if there is no view in that form */
export async function print(
  { stdout }: { readonly stdout: Writable },
  format: string,
  views: Views,
): Promise<void> {
  const offered = Object.keys(views) as OutputFormat[];
  const view = views[outputFormat(format, offered)];
  if (view === undefined) return;
  const shown = await view();
  const isPiece = typeof shown === "string" || shown instanceof Uint8Array;
  await writeAll(stdout, isPiece ? [shown] : shown);
}

const CHUNK_BYTES = 64 * 1024;

/** In chunks of a good size, as fast as the reader takes them. */
export async function writeAll(
  stdout: Writable,
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
): Promise<void> {
  const chunk = new Chunk(stdout);
  if (Symbol.asyncIterator in pieces) {
    for await (const piece of pieces) if (chunk.add(piece)) await chunk.flush();
  } else {
    // Millions of pieces that are there already: no waiting between them.
    for (const piece of pieces) if (chunk.add(piece)) await chunk.flush();
  }
  await chunk.flush();
}

class Chunk {
  readonly #stdout: Writable;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(stdout: Writable) {
    this.#stdout = stdout;
  }

  /** Whether it is time to flush. */
  add(piece: Piece): boolean {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    return this.#heldBytes >= CHUNK_BYTES;
  }

  async flush(): Promise<void> {
    if (this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    if (!this.#stdout.write(bytes)) await once(this.#stdout, "drain");
  }
}
