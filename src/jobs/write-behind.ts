/**
 * A file that is written from its beginning to its end while more is being made: pieces go to the disk on other
 * threads, and are synced on the way, so that the last sync has little left to wait for.
 */
import type { RandomAccessFile } from "../../native-free/file.ts";
import { invariant } from "../base/invariant.ts";

const PIECE_BYTES = 1024 * 1024;
/** One is filled while the others are on their way. */
const PIECES = 4;
const SYNC_EVERY_BYTES = 16 * 1024 * 1024;

export class WriteBehind {
  readonly #file: RandomAccessFile;
  readonly #free: Uint8Array[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #allocated = 0;
  #bytes = 0;
  #unsyncedBytes = 0;
  #syncing = false;
  #failure: { readonly error: unknown } | undefined;

  /** @param file  not to be closed before `settled` */
  constructor(file: RandomAccessFile) {
    this.#file = file;
  }

  /** What was given to `push` so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A mebibyte of memory to be filled; waits for one. @throws (rejects) what a write or a sync has failed with */
  async room(): Promise<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const memory = this.#free.pop();
      if (memory !== undefined) return memory;
      if (this.#allocated < PIECES) {
        this.#allocated++;
        return new Uint8Array(PIECE_BYTES);
      }
      await Promise.race(this.#underWay);
    }
  }

  /** @param memory  of `room`, which it goes back to. @param length  how much of it is to be written */
  push(memory: Uint8Array, length: number): void {
    invariant(memory.length === PIECE_BYTES, "a piece is the room that was given");
    const offsetBytes = this.#bytes;
    this.#bytes += length;
    const some = memory.subarray(0, length);
    if (this.#file.writeBeside === undefined) this.#file.write(offsetBytes, some);
    this.#start(
      (this.#file.writeBeside?.(offsetBytes, some) ?? Promise.resolve()).then(() => {
        this.#free.push(memory);
      }),
    );
    this.#unsyncedBytes += length;
    if (this.#unsyncedBytes < SYNC_EVERY_BYTES || this.#syncing) return;
    if (this.#file.syncBeside === undefined) return;
    this.#unsyncedBytes = 0;
    this.#syncing = true;
    this.#start(
      this.#file.syncBeside().finally(() => {
        this.#syncing = false;
      }),
    );
  }

  /** Nothing is under way when it resolves. @throws (rejects) the first failure: the file is given up then */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The outcome is kept as a value: a failure is to be found by who asks, not by nobody. */
  #start(work: Promise<void>): void {
    const known = work.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    const done = known.then(() => {
      this.#underWay.delete(done);
    });
    this.#underWay.add(done);
  }
}
