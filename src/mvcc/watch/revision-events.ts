/**
 * The changes of one revision on their way to watchers. Each event is made at most once, when the first watcher wants
 * it, however many there are.
 */
import { StrataError } from "../../base/errors.ts";
import type { Change, WatchSource } from "./source.ts";
import { encodeDeleted, type WatchEvent } from "./watch-event.ts";
import type { Watcher } from "./watcher.ts";
import type { Bucket, WatcherGroup } from "./watcher-group.ts";

/** An event as the list that a watcher gets who has no other of the revision. */
type Single = readonly [WatchEvent];

/** Used by one hand-out at a time, so one will do. */
const found: Bucket[] = [];
const FOUND_KEPT = 64;

export class RevisionEvents {
  readonly main: number;
  readonly #changes: readonly Change[];
  readonly #source: Pick<WatchSource, "readKey">;
  #plain: (Single | undefined)[] | undefined;
  #withPrev: (Single | undefined)[] | undefined;
  /** For each key the place of its last change; made if there is more than one change. */
  #last: Map<string, number> | undefined;
  /** Set when a previous pair could not be read: what watchers with `prevKv` got is not complete. */
  failure: StrataError | undefined;

  /** @param changes  in order; their bytes are kept */
  constructor(main: number, changes: readonly Change[], source: Pick<WatchSource, "readKey">) {
    this.main = main;
    this.#changes = changes;
    this.#source = source;
  }

  /**
   * Sets `pending` of each watcher of the group that gets events of this revision, and adds it to `touched`. Calls
   * nothing but the source.
   */
  handOut(group: WatcherGroup, touched: Watcher[]): void {
    const changes = this.#changes;
    for (let i = 0; i < changes.length; i++) {
      const { key, tombstone } = changes[i] as Change;
      const buckets = group.find(key, found);
      if (buckets === 0 || !this.#isLast(i, key)) continue;
      for (let b = 0; b < buckets; b++) {
        const { watchers } = found[b] as Bucket;
        for (let w = 0; w < watchers.length; w++) {
          const watcher = watchers[w] as Watcher;
          if (this.main < watcher.next || (tombstone ? watcher.noDelete : watcher.noPut)) continue;
          this.#give(watcher, i, touched);
        }
      }
    }
    if (found.length > FOUND_KEPT) found.length = 0;
  }

  #give(watcher: Watcher, i: number, touched: Watcher[]): void {
    const single = watcher.prevKv ? this.#eventWithPrev(i) : this.#event(i);
    const { pending } = watcher;
    if (pending === undefined) {
      watcher.pending = single;
      watcher.ownsPending = false;
      touched.push(watcher);
    } else if (watcher.ownsPending) (pending as WatchEvent[]).push(single[0]);
    else {
      watcher.pending = [...pending, single[0]];
      watcher.ownsPending = true;
    }
  }

  /** Whether the transaction does not change the key again: what it was in between, nobody ever sees. */
  #isLast(i: number, key: string): boolean {
    const changes = this.#changes;
    if (changes.length === 1) return true;
    if (this.#last === undefined) {
      this.#last = new Map();
      for (let j = 0; j < changes.length; j++) this.#last.set((changes[j] as Change).key, j);
    }
    return this.#last.get(key) === i;
  }

  #event(i: number): Single {
    this.#plain ??= [];
    const made = this.#plain[i];
    if (made !== undefined) return made;
    const { key, tombstone, kv } = this.#changes[i] as Change;
    const { main } = this;
    const event: WatchEvent = {
      type: tombstone ? "delete" : "put",
      modRevision: main,
      kv: tombstone ? encodeDeleted(key, main) : kv,
      prevKv: undefined,
    };
    const single: Single = [event];
    this.#plain[i] = single;
    return single;
  }

  #eventWithPrev(i: number): Single {
    this.#withPrev ??= [];
    const made = this.#withPrev[i];
    if (made !== undefined) return made;
    const [event] = this.#event(i);
    let prevKv: Uint8Array | undefined;
    try {
      const prev = this.#source.readKey((this.#changes[i] as Change).key, this.main - 1);
      if (prev !== undefined) prevKv = new Uint8Array(prev);
    } catch (error) {
      if (!(error instanceof StrataError)) throw error;
      this.failure = error;
    }
    const single: Single = [{ ...event, prevKv }];
    this.#withPrev[i] = single;
    return single;
  }
}
