/**
 * Group commit: whoever waits while one batch is on its way to the disk goes with the next one, all together. Nothing
 * waits for a timer, and with nobody else there a batch of one goes at once.
 */

/**
 * Brings everything that was joined so far to the disk. Calls `acknowledge` as soon as that is done, at the latest
 * before it is through; undefined if it is through already. Throws or rejects if it fails.
 */
export type Commit = (acknowledge: () => void, joined: number) => Promise<void> | undefined;

/** Runs `work` soon, after those that are about to join have done so. */
export type Schedule = (work: () => void) => void;

interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  joined: number;
}

export class GroupCommit {
  readonly #commit: Commit;
  readonly #schedule: Schedule;
  #next: Batch | undefined;
  #running: Batch | undefined;

  constructor(commit: Commit, schedule: Schedule) {
    this.#commit = commit;
    this.#schedule = schedule;
  }

  /** Resolves when a commit that began after this call is done; everyone in a batch gets the same promise. */
  join(): Promise<void> {
    if (this.#next === undefined) {
      this.#next = newBatch();
      if (this.#running === undefined) this.#schedule(() => this.#run());
    }
    this.#next.joined++;
    return this.#next.promise;
  }

  get idle(): boolean {
    return this.#next === undefined && this.#running === undefined;
  }

  #run(): void {
    const batch = this.#next;
    if (batch === undefined || this.#running !== undefined) return;
    this.#next = undefined;
    this.#running = batch;
    try {
      const later = this.#commit(batch.resolve, batch.joined);
      if (later === undefined) this.#through();
      else {
        later.then(
          () => this.#through(),
          (error: unknown) => this.#failed(error),
        );
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#running?.reject(error);
    this.#through();
  }

  #through(): void {
    this.#running?.resolve();
    this.#running = undefined;
    if (this.#next !== undefined) this.#schedule(() => this.#run());
  }
}

function newBatch(): Batch {
  let resolve = (): void => undefined;
  let reject: (error: unknown) => void = resolve;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject, joined: 0 };
}
