/**
 * One thing that many wait for, each as long as its patience lasts. Unlike a promise, it keeps nothing of those who
 * went away.
 */
import type { Patience } from "./patience.ts";

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (why: unknown) => void;
}

export class Gate<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get waiting(): number {
    return this.#waiters.size;
  }

  /** @throws (rejects) what ends the patience; what it is shut with */
  wait(patience: Patience): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        resolve: (value) => {
          patience.whenOver(undefined);
          resolve(value);
        },
        reject: (why) => {
          patience.whenOver(undefined);
          reject(why);
        },
      };
      this.#waiters.add(waiter);
      patience.whenOver((why) => {
        this.#waiters.delete(waiter);
        reject(why);
      });
    });
  }

  /** Lets in all who wait now. */
  open(value: T): void {
    for (const waiter of this.#take()) waiter.resolve(value);
  }

  /** Turns them away. */
  shut(why: unknown): void {
    for (const waiter of this.#take()) waiter.reject(why);
  }

  #take(): Waiter<T>[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }
}
