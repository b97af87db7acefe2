/** Watchers by the keys they watch: single keys in a map, ranges in an interval tree. A watcher is in one group at most. */
import { invariant } from "../../base/invariant.ts";
import { FROM_KEY } from "../key-index.ts";
import { IntervalTree } from "./interval-tree.ts";
import type { Watcher } from "./watcher.ts";

/** After every key: those have characters up to 0xff. */
const NO_END = "\uffff";

/** All watchers of a group that watch exactly the same; never empty. */
export interface Bucket {
  readonly watchers: Watcher[];
}

export class WatcherGroup {
  readonly #keys = new Map<string, Bucket>();
  readonly #ranges = new IntervalTree<Bucket>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    invariant(watcher.group === undefined, "a watcher is in one group at most");
    const { start, end } = watcher;
    let bucket = end === "" ? this.#keys.get(start) : this.#ranges.get(start, bound(end));
    if (bucket === undefined) {
      bucket = { watchers: [] };
      if (end === "") this.#keys.set(start, bucket);
      else this.#ranges.add(start, bound(end), bucket);
    }
    watcher.group = this;
    watcher.bucket = bucket;
    watcher.slot = bucket.watchers.length;
    bucket.watchers.push(watcher);
    this.#size++;
  }

  remove(watcher: Watcher): void {
    const { bucket, start, end } = watcher;
    invariant(watcher.group === this && bucket !== undefined, "a watcher leaves its own group");
    const last = bucket.watchers.pop() as Watcher;
    if (last !== watcher) {
      bucket.watchers[watcher.slot] = last;
      last.slot = watcher.slot;
    }
    if (bucket.watchers.length === 0) {
      if (end === "") this.#keys.delete(start);
      else this.#ranges.remove(start, bound(end));
    }
    watcher.group = undefined;
    watcher.bucket = undefined;
    this.#size--;
  }

  /** Whether anyone watches the key. */
  watches(key: string): boolean {
    return this.#keys.has(key) || this.#ranges.holds(key);
  }

  /** Writes those that watch the key to the front of `into`, bucket by bucket. @returns how many buckets */
  find(key: string, into: Bucket[]): number {
    let count = 0;
    const single = this.#keys.get(key);
    if (single !== undefined) into[count++] = single;
    return this.#ranges.count === 0 ? count : this.#ranges.find(key, into, count);
  }
}

function bound(end: string): string {
  return end === FROM_KEY ? NO_END : end;
}
