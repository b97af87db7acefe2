/**
 * The thread that reads and hashes snapshots while they are sent: however many there are, and however slowly they are
 * taken, they share one, for each piece is asked for. It is there while any is under way. Here is the main thread's end
 * of it; `snapshot-thread.worker.ts` is the other.
 */
import { Piscina } from "piscina";
import { BACKUP_PIECE_BYTES } from "../pagefile/backup.ts";
import type { PinnedFile } from "./hash.ts";
import { type Outcome, takeValue } from "./outcome.ts";
import { workerFile } from "./worker-file.ts";

/** What crosses. */
export type SnapshotCall =
  | {
      readonly call: "next";
      readonly id: number;
      /** Which piece, from 0: they are asked for in order. */
      readonly piece: number;
      readonly file: PinnedFile;
      /** With the first: where pieces go, one after another and round again. Undefined: each in memory of its own. */
      readonly ring: SharedArrayBuffer | undefined;
    }
  | { readonly call: "close"; readonly id: number };

/** A piece, or how long it is in the ring; undefined at the end. */
export type SnapshotAnswer = Uint8Array | number | undefined;

/** Pieces of one snapshot, in order. */
export interface PieceSource {
  /** How many may be asked for before the first has come. */
  readonly ahead: number;
  /** Undefined at the end. A piece that is lent is good until `ahead` more have been asked for and one more. */
  next(): Promise<Uint8Array | undefined>;
  /** Nothing is read any more when it resolves. */
  close(): Promise<void>;
}

const AHEAD = 3;

/** Those that are read ahead, and the one that is taken. */
const SLOTS: number = AHEAD + 1;

export class SnapshotThread {
  #pool: Piscina | undefined;
  #lastId = 0;
  #open = 0;

  /**
   * @param file  pinned and open until the source is closed
   * @param lent  pieces lie in memory that is used again, which is all that the source takes: what a thread allocates
   *   for each would have to be collected on this one, whose heap may be large
   */
  pieces(file: PinnedFile, lent: boolean): PieceSource {
    this.#pool ??= new Piscina({
      filename: workerFile("snapshot-thread"),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Else what had to wait goes behind what comes after it.
      stricterFIFO: true,
    });
    this.#open++;
    const pool = this.#pool;
    const id = ++this.#lastId;
    const ring = lent ? new SharedArrayBuffer(SLOTS * BACKUP_PIECE_BYTES) : undefined;
    let asked = 0;
    const ask = async (call: SnapshotCall): Promise<SnapshotAnswer> => {
      const outcome: Outcome<SnapshotAnswer> = await pool.run(call);
      return takeValue(outcome);
    };
    return {
      ahead: AHEAD,
      next: async () => {
        const piece = asked++;
        const answer = await ask({
          call: "next",
          id,
          piece,
          file,
          ring: piece === 0 ? ring : undefined,
        });
        if (typeof answer !== "number" || ring === undefined)
          return answer as Uint8Array | undefined;
        return new Uint8Array(ring, (piece % SLOTS) * BACKUP_PIECE_BYTES, answer);
      },
      close: async () => {
        try {
          await ask({ call: "close", id });
        } finally {
          this.#open--;
          if (this.#open === 0) {
            this.#pool = undefined;
            await pool.destroy();
          }
        }
      },
    };
  }
}
