/**
 * Sends what the watches of all streams have to tell, some of each stream at a time. A stream's `wake` comes in the
 * middle of a write to the store: it is only noted, and sent in a microtask, when the batch of writes that is being
 * applied is over: so a stream takes all of the batch at once, and the writers have their answers first.
 */

/** What waits is sent this long, then others have their turn of the event loop. */
const SLICE_MS = 2;

export interface Sendable {
  /** Sends some of what waits. @returns whether there may be more, and room for it */
  sendSome(): boolean;
}

export class WatchSender {
  #queue: Sendable[] = [];
  #head = 0;
  #scheduled = false;

  /** @param sendable  is not in the queue */
  add(sendable: Sendable): void {
    this.#queue.push(sendable);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#work());
  }

  #work(): void {
    const endMs = performance.now() + SLICE_MS;
    const queue = this.#queue;
    for (let count = 1; this.#head < queue.length; count++) {
      const sendable = queue[this.#head++] as Sendable;
      if (sendable.sendSome()) queue.push(sendable);
      if (count % 4 === 0 && performance.now() >= endMs) break;
    }
    if (this.#head === queue.length) {
      queue.length = 0;
      this.#head = 0;
      this.#scheduled = false;
      return;
    }
    if (this.#head > 1024) {
      queue.splice(0, this.#head);
      this.#head = 0;
    }
    setImmediate(() => this.#work());
  }
}
