/**
 * A set of revisions in two flat columns, which cross to another thread as they are: filled in any order, sorted once,
 * and then asked.
 */
import { invariant } from "../base/invariant.ts";
import { newMains, newSubs, RevisionSort } from "./revision-sort.ts";

export class RevisionSet {
  #mains: Float64Array;
  #subs: Uint32Array;
  #count = 0;
  #sort: RevisionSort | undefined;
  #sorted = false;
  readonly #isShared: boolean;

  /**
   * @param capacity  room for so many; beyond it every doubling is one long copy
   * @param isShared  other threads may be shown the columns without a copy
   */
  constructor(capacity = 16, isShared = false) {
    this.#isShared = isShared;
    this.#mains = newMains(capacity, isShared);
    this.#subs = newSubs(capacity, isShared);
  }

  get count(): number {
    return this.#count;
  }

  /** Ascending by main, then sub: views on what the set holds, not to be written. */
  get mains(): Float64Array {
    this.#requireSorted();
    return this.#mains.subarray(0, this.#count);
  }

  get subs(): Uint32Array {
    this.#requireSorted();
    return this.#subs.subarray(0, this.#count);
  }

  /** @param main, sub  not in the set yet; main < 2^53, sub < 2^32 */
  add(main: number, sub: number): void {
    if (this.#sort !== undefined || this.#sorted) invariant(false, "a sorted set takes no more");
    if (this.#count === this.#mains.length) this.#grow();
    this.#mains[this.#count] = main;
    this.#subs[this.#count] = sub;
    this.#count++;
  }

  has(main: number, sub: number): boolean {
    this.#requireSorted();
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#mains[middle] as number;
      const order = there === main ? (this.#subs[middle] as number) - sub : there - main;
      if (order === 0) return true;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  /** Sorts to the end. */
  sort(): this {
    while (!this.sortSome(Number.MAX_SAFE_INTEGER));
    return this;
  }

  /** Sorts on. @param work  revisions to look at, at most. @returns whether all is done */
  sortSome(work: number): boolean {
    if (this.#sorted) return true;
    this.#sort ??= new RevisionSort(this.#mains, this.#subs, this.#count, this.#isShared);
    if (!this.#sort.step(work)) return false;
    this.#mains = this.#sort.mains;
    this.#subs = this.#sort.subs;
    this.#sort = undefined;
    this.#sorted = true;
    return true;
  }

  #requireSorted(): void {
    if (!this.#sorted) invariant(false, "a set is sorted before it is asked");
  }

  #grow(): void {
    const capacity = Math.max(16, this.#mains.length * 2);
    const mains = newMains(capacity, this.#isShared);
    const subs = newSubs(capacity, this.#isShared);
    mains.set(this.#mains);
    subs.set(this.#subs);
    this.#mains = mains;
    this.#subs = subs;
  }
}
