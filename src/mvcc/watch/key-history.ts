/**
 * The history of few keys for one watcher, by the revisions that the index has of them: what other keys were through
 * meanwhile is not read.
 */

import { latin1 } from "../../base/bytes.ts";
import type { StrataError } from "../../base/errors.ts";
import { invariant } from "../../base/invariant.ts";
import { findUserKey, type KeyRange } from "../key-value.ts";
import type { RevisionSet } from "../revision-set.ts";
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

export class KeyHistory implements HistoryJob {
  readonly #owner: HistoryOwner;
  readonly #watcher: Watcher;
  readonly #mains: Float64Array;
  readonly #subs: Uint32Array;
  /** All of the watcher's revisions up to this one are in the set. */
  readonly #upTo: number;
  readonly #group = new WatcherGroup();
  /** The place in the set to go on from. */
  #at = 0;

  /** @param set  of the revisions from the watcher's next one on, as the index has them now */
  constructor(owner: HistoryOwner, watcher: Watcher, set: RevisionSet) {
    this.#owner = owner;
    this.#watcher = watcher;
    this.#mains = set.mains;
    this.#subs = set.subs;
    this.#upTo = owner.revision;
    this.#group.add(watcher);
  }

  step(): boolean {
    const watcher = this.#watcher;
    if (watcher.group !== this.#group) return false;
    watcher.next = Math.max(watcher.next, this.#mains[this.#at] ?? this.#upTo + 1);
    if (endIfCompacted(watcher, this.#owner.source)) return false;
    const { stepRecords, stepBytes } = this.#owner.tuning;
    let records = 0;
    let bytes = 0;
    while (this.#at < this.#mains.length && records < stepRecords && bytes < stepBytes) {
      const main = this.#mains[this.#at] as number;
      const changes = this.#readRevision(main);
      records += changes.length;
      for (const { kv } of changes) bytes += kv.length;
      if (!this.#handOut(main, changes)) return false;
    }
    if (this.#at < this.#mains.length) return true;
    this.#group.remove(watcher);
    watcher.next = Math.max(watcher.next, this.#upTo + 1);
    this.#owner.enter(watcher);
    return false;
  }

  fail(error: StrataError): void {
    failWatcher(this.#watcher, error);
  }

  #readRevision(main: number): Change[] {
    const { source } = this.#owner;
    const range: KeyRange = { offset: 0, length: 0 };
    const changes: Change[] = [];
    for (; this.#mains[this.#at] === main; this.#at++) {
      const sub = this.#subs[this.#at] as number;
      const { kv, tombstone } = source.read(main, sub);
      invariant(findUserKey(kv, 0, kv.length, range), "history has key-values", { main, sub });
      const key = latin1(kv, range.offset, range.offset + range.length);
      changes.push({ key, sub, tombstone, kv: new Uint8Array(kv) });
    }
    return changes;
  }

  /** @returns false if the watcher waits for room, or is over */
  #handOut(main: number, changes: readonly Change[]): boolean {
    const watcher = this.#watcher;
    const { source, revision } = this.#owner;
    const events = new RevisionEvents(main, changes, source);
    events.handOut(this.#group, []);
    if (events.failure !== undefined) {
      watcher.pending = undefined;
      failWatcher(watcher, events.failure);
      return false;
    }
    if (watcher.pending === undefined || deliver(watcher, main, revision)) return true;
    this.#group.remove(watcher);
    watcher.stream.waitForRoom(watcher);
    return false;
  }
}
