/** What has a place in a heap: a number of its own among all that are in it. */
export interface Slotted {
  readonly slot: number;
}

/**
 * Which comes next, by time. A binary heap with a table from slot to position, so that one can be moved or taken out
 * wherever it is: O(log n), and O(1) for one that is put in later than all the others, which is what grants do.
 */
export class LeaseHeap<T extends Slotted> {
  readonly #items: T[] = [];
  /** By position. */
  #times = new Float64Array(64);
  /** By slot: position + 1; 0: not in it. */
  #places = new Int32Array(64);

  get size(): number {
    return this.#items.length;
  }

  /** The soonest. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Its time; Infinity if there is none. */
  get firstMs(): number {
    return this.#items.length > 0 ? (this.#times[0] as number) : Number.POSITIVE_INFINITY;
  }

  has(item: T): boolean {
    return (this.#places[item.slot] ?? 0) > 0;
  }

  /** Puts it in, or gives it another time. */
  set(item: T, timeMs: number): void {
    const place = this.#places[item.slot] ?? 0;
    if (place > 0) {
      this.#settle(item, timeMs, place - 1);
      return;
    }
    const at = this.#items.length;
    if (at === this.#times.length) this.#times = larger(Float64Array, this.#times, at + 1);
    if (item.slot >= this.#places.length) {
      this.#places = larger(Int32Array, this.#places, item.slot + 1);
    }
    this.#items.push(item);
    this.#settle(item, timeMs, at);
  }

  /** Takes it out, if it is in. */
  delete(item: T): void {
    const place = this.#places[item.slot] ?? 0;
    if (place === 0) return;
    this.#places[item.slot] = 0;
    const end = this.#items.length - 1;
    const last = this.#items.pop() as T;
    if (last !== item) this.#settle(last, this.#times[end] as number, place - 1);
  }

  /** Up or down from the gap at `from` to where its time belongs. */
  #settle(item: T, timeMs: number, from: number): void {
    const times = this.#times;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((times[parent] as number) <= timeMs) break;
      this.#put(this.#items[parent] as T, times[parent] as number, at);
      at = parent;
    }
    const size = this.#items.length;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child++;
      if ((times[child] as number) >= timeMs) break;
      this.#put(this.#items[child] as T, times[child] as number, at);
      at = child;
    }
    this.#put(item, timeMs, at);
  }

  #put(item: T, timeMs: number, at: number): void {
    this.#items[at] = item;
    this.#times[at] = timeMs;
    this.#places[item.slot] = at + 1;
  }
}

function larger<A extends Float64Array | Int32Array>(
  kind: new (length: number) => A,
  old: A,
  length: number,
): A {
  const grown = new kind(Math.max(length, 2 * old.length));
  grown.set(old);
  return grown;
}
