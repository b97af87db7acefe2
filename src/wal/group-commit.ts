/**
 * Group commit: whoever waits while one batch is on its way to the disk goes with the next one, all together. Nothing
 * waits for a timer, and with nobody else there a batch of one goes at once. A large one that has gathered behind a sync
 * beside goes before those of that sync are answered, so that the disk works meanwhile.
 *
 * Callers who have just been answered are likely to come again, but a little later than those who came meanwhile: left
 * to itself, such a crowd falls into two halves that wait for each other, a sync for each. So a batch that is smaller
 * than a small crowd was lately lets the event loop turn a few times, without ever waiting in it.
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

/** Some ten microseconds each. Measured with ten clients on ten connections: a fifth more puts, and more turns bring no more. */
const TURNS_MAX = 4;

/** A larger crowd is better off in two halves: one is served while the other is on its way to us. */
const CROWD_MAX = 32;

/** Who is not there any more is forgotten by and by. */
const FADING = 0.9;

export class GroupCommit {
  readonly #commit: Commit;
  readonly #schedule: Schedule;
  #next: Batch | undefined;
  #running: Batch | undefined;
  /** How many were waiting or under way at once lately. */
  #crowd = 0;
  /** That the next batch has let go by. */
  #turns = 0;
  readonly #waitingForQuiet: (() => void)[] = [];

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

  /** Resolves when nothing is under way and nobody waits: what was acknowledged may go on for a while. */
  quiet(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForQuiet.push(resolve));
  }

  get idle(): boolean {
    return this.#next === undefined && this.#running === undefined;
  }

  #run(): void {
    const batch = this.#next;
    if (batch === undefined || this.#running !== undefined) return;
    const isHalf = this.#crowd <= CROWD_MAX && batch.joined < this.#crowd * FADING;
    if (isHalf && this.#turns < TURNS_MAX) {
      this.#turns++;
      this.#schedule(() => this.#run());
      return;
    }
    this.#turns = 0;
    this.#crowd = Math.max(this.#crowd * FADING, batch.joined);
    this.#next = undefined;
    this.#running = batch;
    try {
      const later = this.#commit(batch.resolve, batch.joined);
      if (later === undefined) this.#through();
      else {
        later.then(
          () => this.#through(true),
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

  /** @param fromBeside  a large batch that waits goes to the disk while those of this one are answered */
  #through(fromBeside = false): void {
    this.#crowd = Math.max(this.#crowd, (this.#running?.joined ?? 0) + (this.#next?.joined ?? 0));
    this.#running?.resolve();
    this.#running = undefined;
    if (this.#next !== undefined) {
      if (fromBeside && this.#next.joined > CROWD_MAX) this.#run();
      else this.#schedule(() => this.#run());
    } else for (const resolve of this.#waitingForQuiet.splice(0)) resolve();
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
