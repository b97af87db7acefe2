/** Writes that reach the disk while more is being made: the last sync then has little left to wait for. */
import type { RandomAccessFile } from "../../native-free/file.ts";

const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

export class BackgroundSync {
  readonly #file: RandomAccessFile;
  readonly #syncs: Promise<unknown>[] = [];
  #unsyncedBytes = 0;

  /** @param file  not to be closed before `settled`; one without `syncBeside` is only written to. */
  constructor(file: RandomAccessFile) {
    this.#file = file;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#file.write(offsetBytes, bytes);
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
    this.#unsyncedBytes = 0;
    // The outcome is kept as a value: a failure is to be found by `settled`, not by nobody.
    const sync = this.#file.syncBeside?.().catch((error: unknown) => error);
    if (sync !== undefined) this.#syncs.push(sync);
  }

  /** @throws the first failure: a sync that failed is not tried again, the file is given up */
  async settled(): Promise<void> {
    for (const failure of await Promise.all(this.#syncs)) if (failure !== undefined) throw failure;
  }
}
