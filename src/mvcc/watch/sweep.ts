/**
 * One way through history in the order of revisions, for all watchers that are behind at about the same place: each
 * revision is read once, however many there are.
 *
 * It reads up to the present, and then takes its watchers live, some in each step; what is written in between is read
 * before it goes on with that.
 */

import { latin1 } from "../../base/bytes.ts";
import type { StrataError } from "../../base/errors.ts";
import { invariant } from "../../base/invariant.ts";
import { findUserKey, type KeyRange } from "../key-value.ts";
import {
  deliver,
  endIfCompacted,
  failWatcher,
  type HistoryJob,
  type HistoryOwner,
} from "./history.ts";
import { RevisionEvents } from "./revision-events.ts";
import type { Change } from "./source.ts";
import type { Watcher } from "./watcher.ts";
import { WatcherGroup } from "./watcher-group.ts";

/** Watchers taken live in one step, at most. */
const STEP_WATCHERS = 128;

interface ReadRevision {
  readonly main: number;
  readonly changes: Change[];
}

export class Sweep implements HistoryJob {
  readonly #owner: HistoryOwner;
  readonly #group = new WatcherGroup();
  readonly #watchers = new Set<Watcher>();
  /** The revision to read next. */
  #at: number;
  #started = false;

  constructor(owner: HistoryOwner, at: number) {
    this.#owner = owner;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** What it has read it does not read again. */
  canTake(watcher: Watcher): boolean {
    return !this.#started || watcher.next >= this.#at;
  }

  join(watcher: Watcher): void {
    invariant(this.canTake(watcher), "a sweep has not passed those whom it takes along");
    this.#at = Math.min(this.#at, watcher.next);
    this.#watchers.add(watcher);
    this.#group.add(watcher);
    watcher.sweep = this;
  }

  leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.#group.remove(watcher);
    watcher.sweep = undefined;
  }

  step(): boolean {
    this.#started = true;
    this.#endCompacted();
    for (const revision of this.#read()) this.#handOut(revision);
    if (this.#at > this.#owner.revision) this.#takeLive();
    return this.#watchers.size > 0;
  }

  fail(error: StrataError): void {
    for (const watcher of this.#watchers) failWatcher(watcher, error);
  }

  #endCompacted(): void {
    const { source } = this.#owner;
    if (this.#at >= source.compactedRevision) return;
    for (const watcher of this.#watchers) endIfCompacted(watcher, source);
    this.#at = source.compactedRevision;
  }

  /** Reads on: whole revisions, and of them what anyone here watches. */
  #read(): ReadRevision[] {
    const { source, revision, tuning } = this.#owner;
    const { stepRecords, stepBytes } = tuning;
    const read: ReadRevision[] = [];
    if (this.#at > revision || this.#watchers.size === 0) return read;
    const range: KeyRange = { offset: 0, length: 0 };
    let last: ReadRevision | undefined;
    let next = revision + 1;
    let main = 0;
    let records = 0;
    let bytes = 0;
    source.scan(this.#at, (atMain, sub, tombstone, kv) => {
      if (atMain > revision) return false;
      if (atMain !== main) {
        if (records >= stepRecords || bytes >= stepBytes) {
          next = atMain;
          return false;
        }
        main = atMain;
      }
      records++;
      invariant(findUserKey(kv, 0, kv.length, range), "history has key-values", { atMain, sub });
      const key = latin1(kv, range.offset, range.offset + range.length);
      if (!this.#group.watches(key)) return true;
      if (last === undefined || last.main !== main) {
        last = { main, changes: [] };
        read.push(last);
      }
      last.changes.push({ key, sub, tombstone, kv: new Uint8Array(kv) });
      bytes += kv.length;
      return true;
    });
    this.#at = next;
    return read;
  }

  #handOut({ main, changes }: ReadRevision): void {
    const { source, revision } = this.#owner;
    const events = new RevisionEvents(main, changes, source);
    const touched: Watcher[] = [];
    events.handOut(this.#group, touched);
    for (const watcher of touched) {
      if (events.failure !== undefined && watcher.prevKv) {
        watcher.pending = undefined;
        failWatcher(watcher, events.failure);
      } else if (!deliver(watcher, main, revision)) {
        this.leave(watcher);
        watcher.stream.waitForRoom(watcher);
      }
    }
  }

  #takeLive(): void {
    let count = 0;
    for (const watcher of this.#watchers) {
      if (++count > STEP_WATCHERS) return;
      this.leave(watcher);
      this.#owner.goLive(watcher);
    }
  }
}
