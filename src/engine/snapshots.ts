/**
 * Snapshots of a store that is written meanwhile: of one commit, which is kept readable until they are taken.
 *
 * Bytes are read and hashed on a thread, a few pieces ahead of whoever takes them; or in small pieces on this one where
 * no other can read the file.
 */
import { basename, dirname } from "node:path";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import type { Backend } from "../backend/backend.ts";
import { KEY } from "../backend/buckets.ts";
import type { Pin } from "../backend/pins.ts";
import { readRevision } from "../backend/revision.ts";
import { exponential, Histogram } from "../base/histogram.ts";
import { nextTurn } from "../base/turn.ts";
import type { JobPool } from "../jobs/pool.ts";
import {
  newProgressCells,
  type Progress,
  ProgressReader,
  ProgressWriter,
} from "../jobs/progress.ts";
import { snapshotBytes, snapshotPieces } from "../jobs/snapshot-pieces.ts";
import { SAVE } from "../jobs/snapshot-save.ts";
import { writeSnapshot } from "../jobs/snapshot-save-work.ts";
import { type PieceSource, SnapshotThread } from "../jobs/snapshot-thread.ts";

export type SnapshotProgress = (progress: Progress) => void;

export interface SnapshotsParts {
  readonly backend: Backend;
  /** Undefined: the file cannot be read by another thread. */
  readonly jobs: { readonly pool: JobPool; readonly path: string } | undefined;
}

export interface SavedSnapshot {
  readonly sizeBytes: number;
  readonly revision: bigint;
}

/** On this thread: reading and hashing it takes about 0.1 ms. */
const PIECE_BYTES = 64 * 1024;
const SLICE_MS = 1;

export class Snapshots {
  /** Of those that were handed out, from their begin to their end, however they ended. Seconds. */
  readonly sendSeconds: Histogram = new Histogram(exponential(0.01, 2, 17));
  readonly #parts: SnapshotsParts;
  readonly #thread = new SnapshotThread();

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
  }

  /**
   * @param lent  a piece is good until the next one is asked for: then nothing has to be collected of it
   * @throws (rejects) StrataError FAILED; the signal's reason
   */
  async take(
    signal: AbortSignal,
    onProgress: SnapshotProgress | undefined,
    lent = false,
  ): Promise<Snapshot> {
    const { backend } = this.#parts;
    const beganMs = performance.now();
    await backend.commit();
    signal.throwIfAborted();
    const pin = backend.pin("snapshot");
    try {
      const source = this.#open(pin, lent);
      const sizeBytes = snapshotBytes(pin.root.meta);
      const revision = revisionOf(backend, pin);
      const snapshot = new Snapshot({ source, sizeBytes, revision, signal, onProgress });
      void snapshot.ended.then(() => {
        this.sendSeconds.observe((performance.now() - beganMs) / 1000);
      });
      return snapshot;
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  /** @throws (rejects) as `take`; the system's errors */
  async save(
    target: string,
    signal: AbortSignal,
    onProgress: SnapshotProgress | undefined,
  ): Promise<SavedSnapshot> {
    const { backend, jobs } = this.#parts;
    if (jobs === undefined) {
      const snapshot = await this.take(signal, onProgress);
      try {
        const folder = new SystemDirectory(dirname(target));
        const sizeBytes = await writeSnapshot(folder, basename(target), snapshot, {
          wrote: () => undefined,
          sync: (file) => file.syncBeside?.() ?? file.sync(),
        });
        return { sizeBytes, revision: snapshot.revision };
      } finally {
        await snapshot.close();
      }
    }
    await backend.commit();
    signal.throwIfAborted();
    const pin = backend.pin("snapshot-save");
    const { path, pool } = jobs;
    let file: SystemFile | undefined;
    try {
      file = new SystemFile(path, "read");
      const { meta } = pin.root;
      const revision = revisionOf(backend, pin);
      const input = { path, fd: file.fd, meta, target };
      const sizeBytes = await pool.run(SAVE, input, { signal, ...(onProgress && { onProgress }) });
      return { sizeBytes, revision };
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      file?.close();
      pin.release();
    }
  }

  #open(pin: Pin, lent: boolean): PieceSource {
    const { backend, jobs } = this.#parts;
    if (jobs === undefined) return piecesHere(backend, pin);
    const { path } = jobs;
    const file = new SystemFile(path, "read");
    const pieces = this.#thread.pieces({ path, fd: file.fd, meta: pin.root.meta }, lent);
    return {
      ahead: pieces.ahead,
      next: () => pieces.next(),
      close: async () => {
        try {
          await pieces.close();
        } finally {
          file.close();
          pin.release();
        }
      },
    };
  }
}

function piecesHere(backend: Backend, pin: Pin): PieceSource {
  const tx = backend.viewAt(pin);
  const { meta } = pin.root;
  const pieceBytes = Math.max(PIECE_BYTES, 2 * meta.pageBytes);
  const pieces = snapshotPieces(tx.walkSource(), meta, pieceBytes);
  let endMs = performance.now() + SLICE_MS;
  return {
    ahead: 1,
    next: async () => {
      if (performance.now() >= endMs) {
        await nextTurn();
        endMs = performance.now() + SLICE_MS;
      }
      const next = pieces.next();
      return next.done ? undefined : next.value;
    },
    close: async () => {
      tx.close();
      pin.release();
    },
  };
}

/** Of the last record, as `snapshot status` will say; 0 if there is none. */
function revisionOf(backend: Backend, pin: Pin): bigint {
  const tx = backend.viewAt(pin);
  try {
    const cursor = tx.bucket(KEY)?.cursor();
    if (cursor === undefined || !cursor.last()) return 0n;
    return BigInt(readRevision(cursor.key())?.main ?? 0);
  } finally {
    tx.close();
  }
}

interface SnapshotParts {
  readonly source: PieceSource;
  readonly sizeBytes: number;
  readonly revision: bigint;
  readonly signal: AbortSignal;
  readonly onProgress: SnapshotProgress | undefined;
}

const REPORT_MS = 100;
const PHASES = ["sending"];

/** The bytes of a snapshot, to be taken once, piece by piece. Until they are, or it is closed, the commit is kept. */
export class Snapshot implements AsyncIterableIterator<Uint8Array, undefined>, AsyncDisposable {
  /** All of it: the database, and 32 bytes of checksum. */
  readonly sizeBytes: number;
  /** Of the last change in it. */
  readonly revision: bigint;
  /** Resolves when it is over, however it came to that. */
  readonly ended: Promise<void>;
  /** Why it was given up before it was taken. */
  failure: Error | undefined;
  readonly #source: PieceSource;
  readonly #signal: AbortSignal;
  readonly #onProgress: SnapshotProgress | undefined;
  readonly #progress: ProgressWriter;
  readonly #reader: ProgressReader;
  readonly #asked: Promise<Uint8Array | undefined>[] = [];
  readonly #aborted = (): void => void this.close().catch(() => undefined);
  #setEnded: () => void = () => undefined;
  #closed: Promise<void> | undefined;
  #doneBytes = 0;
  #reportedMs = 0;

  constructor({ source, sizeBytes, revision, signal, onProgress }: SnapshotParts) {
    this.#source = source;
    this.sizeBytes = sizeBytes;
    this.revision = revision;
    this.#signal = signal;
    this.#onProgress = onProgress;
    const cells = newProgressCells();
    this.#progress = new ProgressWriter(cells);
    this.#reader = new ProgressReader(cells, PHASES);
    this.#progress.phase(0, sizeBytes);
    this.ended = new Promise((resolve) => {
      this.#setEnded = resolve;
    });
    signal.addEventListener("abort", this.#aborted, { once: true });
  }

  /** @throws (rejects) the signal's reason; CorruptionError; the system's errors. It is over then */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#signal.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    if (this.#closed !== undefined) return { done: true, value: undefined };
    while (this.#asked.length < this.#source.ahead) this.#ask();
    try {
      const piece = await this.#asked.shift();
      this.#signal.throwIfAborted();
      if (this.failure !== undefined) throw this.failure;
      if (piece === undefined) {
        await this.close();
        return { done: true, value: undefined };
      }
      this.#ask();
      this.#report(piece.length);
      return { done: false, value: piece };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Of `sizeBytes`, so far. */
  get takenBytes(): number {
    return this.#doneBytes;
  }

  /** As `close`; whoever asks for more is told why. Nothing happens if it is over. */
  async giveUp(failure: Error): Promise<void> {
    if (this.#closed !== undefined) return;
    this.failure = failure;
    await this.close();
  }

  /** Gives up what has not been taken. Twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #ask(): void {
    const piece = this.#source.next();
    // Whoever takes it hears of its failure; nobody may.
    piece.catch(() => undefined);
    this.#asked.push(piece);
  }

  #report(bytes: number): void {
    this.#doneBytes += bytes;
    const nowMs = performance.now();
    const isLast = this.#doneBytes === this.sizeBytes;
    if (this.#onProgress === undefined || (!isLast && nowMs < this.#reportedMs + REPORT_MS)) return;
    this.#reportedMs = nowMs;
    this.#progress.done(this.#doneBytes);
    this.#onProgress(this.#reader.read(nowMs));
  }

  async #close(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#aborted);
    try {
      await Promise.allSettled(this.#asked);
      await this.#source.close();
    } finally {
      this.#setEnded();
    }
  }
}
