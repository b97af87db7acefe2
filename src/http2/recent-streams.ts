/**
 * How the last streams ended: frames for them may still be on their way. The protocol wants a stream that is closed told
 * from one that never was, and silence about one that we have reset.
 */

const RECENT_MAX = 128;

export class RecentStreams {
  /** A ring of stream ids, negative if we have reset them. Made by the first. */
  #ids: Int32Array | undefined;
  #next = 0;

  add(id: number, wasReset: boolean): void {
    this.#ids ??= new Int32Array(RECENT_MAX);
    this.#ids[this.#next] = wasReset ? -id : id;
    this.#next = (this.#next + 1) % RECENT_MAX;
  }

  wasReset(id: number): boolean {
    return this.#ids?.includes(-id) ?? false;
  }

  wasClosed(id: number): boolean {
    return this.#ids?.includes(id) ?? false;
  }
}
