/**
 * The next segment, laid out as zeros while the present one fills: `0.tmp` or `1.tmp` in turn, as etcd names it.
 */
import type { Directory } from "../../native-free/file.ts";

/**
 * Makes the file `name` of `sizeBytes` zeros, and durable, off this thread or in steps; leaves nothing behind that it
 * does not take up again. Rejects if it cannot, or when it was told to stop.
 */
export type PrepareSegment = (
  directory: Directory,
  name: string,
  sizeBytes: number,
  signal: AbortSignal,
) => Promise<void>;

/** A segment becomes this before anything is written to it: etcd takes up `0.tmp` and believes that it is zeros. */
export const CUT_NAME = "cut.tmp";

/** A segment that nobody needs any more becomes this before it is cut away. */
export const RELEASED_NAME = "released.tmp";

export class NextSegment {
  readonly #directory: Directory;
  readonly #sizeBytes: number;
  readonly #prepare: PrepareSegment | undefined;
  readonly #stop = new AbortController();
  #count = 0;
  #name: string | undefined;
  #ready = false;
  #work: Promise<void> = Promise.resolve();

  constructor(directory: Directory, sizeBytes: number, prepare: PrepareSegment | undefined) {
    this.#directory = directory;
    this.#sizeBytes = sizeBytes;
    this.#prepare = prepare;
  }

  /** Begins with the next one, unless it is under way or nobody prepares any. */
  begin(): void {
    if (this.#prepare === undefined || this.#name !== undefined || this.#stop.signal.aborted)
      return;
    const name = `${this.#count++ % 2}.tmp`;
    this.#name = name;
    this.#ready = false;
    this.#work = this.#prepare(this.#directory, name, this.#sizeBytes, this.#stop.signal).then(
      () => {
        this.#ready = true;
      },
      () => {
        // A disk too full for what may never be needed: the segment grows as it is written, and fails if it must.
        this.#name = undefined;
      },
    );
  }

  /**
   * Puts the prepared file under CUT_NAME; false if there is none yet, and then the one under way is for the next
   * time.
   */
  take(): boolean {
    if (this.#name === undefined || !this.#ready) return false;
    this.#directory.rename(this.#name, CUT_NAME);
    this.#name = undefined;
    return true;
  }

  /** Ends the work and leaves no file. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
    removeLeftovers(this.#directory);
  }
}

/** What a crash left of segments to be, and of those that were. */
export function removeLeftovers(directory: Directory): void {
  const names = directory.list();
  for (const name of ["0.tmp", "1.tmp", CUT_NAME, RELEASED_NAME])
    if (names.includes(name)) directory.remove(name);
}
