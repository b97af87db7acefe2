/**
 * The thread that reads and hashes snapshots while they are sent: however many there are, and however slowly they are
 * taken, they share one, for each piece is asked for. It is there while any is under way. Here is the main thread's end
 * of it; `snapshot-thread.worker.ts` is the other.
 */
import { Piscina } from "piscina";
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
    }
  | { readonly call: "close"; readonly id: number };

export type SnapshotAnswer = Uint8Array | undefined;

/** Pieces of one snapshot, in order. */
export interface PieceSource {
  /** How many may be asked for before the first has come. */
  readonly ahead: number;
  /** Undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Nothing is read any more when it resolves. */
  close(): Promise<void>;
}

/** A piece is 1 MiB. */
const AHEAD = 3;

export class SnapshotThread {
  #pool: Piscina | undefined;
  #lastId = 0;
  #open = 0;

  /** @param file  pinned and open until the source is closed */
  pieces(file: PinnedFile): PieceSource {
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
    let piece = 0;
    const ask = async (call: SnapshotCall): Promise<SnapshotAnswer> => {
      const outcome: Outcome<SnapshotAnswer> = await pool.run(call);
      return takeValue(outcome);
    };
    return {
      ahead: AHEAD,
      next: () => ask({ call: "next", id, piece: piece++, file }),
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
