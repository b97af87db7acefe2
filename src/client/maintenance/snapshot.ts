/**
 * A server's database, as it comes. What ends it is a SHA-256 of what came before; a snapshot whose end does not fit is
 * never whole: the iteration throws before its last piece.
 */
import { createHash } from "node:crypto";
import { equalBytes } from "../../base/bytes.ts";
import { StrataError } from "../../base/errors.ts";
import type { Progress } from "../../jobs/progress.ts";
import { MAINTENANCE_METHODS, type SnapshotResponse } from "../../proto/tables/maintenance.ts";
import type { Rpc } from "../rpc.ts";
import type { CallSettings } from "../transport/transport.ts";

export interface SnapshotSettings extends CallSettings {
  /** About ten times a second, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const CHECKSUM_BYTES = 32;

/** Every database is so many bytes, again and again. */
const SECTOR_BYTES = 512;

const REPORT_MS = 100;

/**
 * Asks for it, and waits for the first piece.
 * @param settings  timeoutMs: for all of it
 * @throws (rejects) as `Transport.unary`
 */
export async function openSnapshot(
  rpc: Rpc,
  { onProgress, ...settings }: SnapshotSettings = {},
): Promise<RemoteSnapshot> {
  const stream = rpc.open(MAINTENANCE_METHODS.snapshot, settings);
  try {
    // Where the call has failed already, the iteration says why.
    await stream.send({}).catch(() => undefined);
    stream.end();
    const messages = stream[Symbol.asyncIterator]();
    const { value: first, done } = await messages.next();
    if (done === true) throw notWhole(0);
    return new RemoteSnapshot(first, messages, () => stream.cancel(), onProgress);
  } catch (error) {
    stream.cancel();
    throw error;
  }
}

/**
 * The bytes, to be taken once, as slowly as one likes: the server is told to wait. What is not taken is given up by
 * `break`, or `close`.
 */
export class RemoteSnapshot
  implements AsyncIterableIterator<Uint8Array, undefined>, AsyncDisposable
{
  /** All of it: the database, and 32 bytes of checksum. */
  readonly sizeBytes: number;
  /** Of etcd's storage, `3.6.0`; etcd before 3.6 does not say: "". */
  readonly version: string;
  readonly #pieces: AsyncGenerator<Uint8Array, undefined>;
  readonly #cancel: () => void;
  #doneBytes = 0;
  #closed = false;

  constructor(
    first: SnapshotResponse,
    rest: AsyncGenerator<SnapshotResponse, void>,
    cancel: () => void,
    onProgress: ((progress: Progress) => void) | undefined,
  ) {
    this.#cancel = cancel;
    this.sizeBytes = first.blob.length + Number(first.remainingBytes) + CHECKSUM_BYTES;
    this.version = first.version;
    this.#pieces = this.#take(first, rest, onProgress);
  }

  /** What has not been taken yet. */
  get remainingBytes(): number {
    return Math.max(this.sizeBytes - this.#doneBytes, 0);
  }

  /** @throws (rejects) StrataError CORRUPT if it is not what its checksum says; and as `Transport.unary` */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#closed) return { done: true, value: undefined };
    return this.#pieces.next();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Gives up what has not been taken. Twice is harmless. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel();
    await this.#pieces.return(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#take(
    first: SnapshotResponse,
    rest: AsyncGenerator<SnapshotResponse, void>,
    onProgress: ((progress: Progress) => void) | undefined,
  ): AsyncGenerator<Uint8Array, undefined> {
    const checksum = new Checksum();
    const startMs = performance.now();
    let reportedMs = startMs;
    try {
      // The last piece is held back until what ended it is known to fit.
      let held = first.blob;
      checksum.add(held);
      for await (const { blob } of rest) {
        if (blob.length === 0) continue;
        checksum.add(blob);
        this.#doneBytes += held.length;
        yield held;
        held = blob;
        const nowMs = performance.now();
        if (nowMs < reportedMs + REPORT_MS) continue;
        reportedMs = nowMs;
        onProgress?.(this.#progress(nowMs - startMs));
      }
      if (this.#closed) return undefined;
      checksum.verify();
      this.#doneBytes += held.length;
      onProgress?.(this.#progress(performance.now() - startMs));
      yield held;
      return undefined;
    } finally {
      this.#closed = true;
      this.#cancel();
    }
  }

  #progress(ms: number): Progress {
    const [done, total] = [this.#doneBytes, this.sizeBytes];
    const rate = ms > 0 ? (done / ms) * 1000 : 0;
    const etaMs = rate > 0 ? (this.remainingBytes / rate) * 1000 : undefined;
    return { phase: "receiving", done, total, rate, etaMs };
  }
}

/** Of everything but the last 32 bytes, which it is to be. */
class Checksum {
  readonly #hash = createHash("sha256");
  #last: Uint8Array = new Uint8Array(0);
  #bytes = 0;

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (piece.length < CHECKSUM_BYTES) {
      const joined = Buffer.concat([this.#last, piece]);
      const cut = Math.max(joined.length - CHECKSUM_BYTES, 0);
      this.#hash.update(joined.subarray(0, cut));
      this.#last = joined.subarray(cut);
      return;
    }
    this.#hash.update(this.#last);
    this.#hash.update(piece.subarray(0, piece.length - CHECKSUM_BYTES));
    // Its own: whoever takes the piece may change it.
    this.#last = piece.slice(piece.length - CHECKSUM_BYTES);
  }

  /** @throws StrataError CORRUPT */
  verify(): void {
    if (this.#bytes % SECTOR_BYTES !== CHECKSUM_BYTES) throw notWhole(this.#bytes);
    if (equalBytes(this.#hash.digest(), this.#last)) return;
    const what = "the snapshot is not what the SHA-256 at its end is of: it was changed on its way";
    throw new StrataError("CORRUPT", what);
  }
}

/** etcdctl's words. */
function notWhole(bytes: number): StrataError {
  return new StrataError("CORRUPT", `sha256 checksum not found [bytes: ${bytes}]`);
}
