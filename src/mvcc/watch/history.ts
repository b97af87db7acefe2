/** What the two ways to read history (sweep.ts, key-history.ts) share. */
import type { StrataError } from "../../base/errors.ts";
import type { WatchSource } from "./source.ts";
import type { WatchEvent } from "./watch-event.ts";
import type { Watcher } from "./watcher.ts";

/** What history needs of the hub. */
export interface HistoryOwner {
  readonly source: WatchSource;
  readonly tuning: HistoryTuning;
  /** The last revision that live watchers were given. */
  readonly revision: number;
  /** The watcher has had everything up to `revision`. */
  goLive(watcher: Watcher): void;
  /** The watcher is behind, and to be sent on the way that suits it. */
  enter(watcher: Watcher): void;
}

/** A piece of work that is done in steps of well below a millisecond, unless one transaction is larger than that. */
export interface HistoryJob {
  /** @returns whether there is more to do */
  step(): boolean;
  /** Ends its watchers. */
  fail(error: StrataError): void;
}

/** How history is read. The numbers are a matter of speed and fairness alone. */
export interface HistoryTuning {
  /** Revisions read in one step: far below a millisecond. */
  readonly stepRecords: number;
  /** Bytes of them kept in one step. */
  readonly stepBytes: number;
  /** So few revisions are read sooner than the index is asked about a range. */
  readonly shortGap: number;
  /** Keys of a range that the index is asked about: far below a millisecond. */
  readonly keysMax: number;
  /** A sweep so little behind a watcher takes it along. */
  readonly reach: number;
}

export const HISTORY_TUNING: HistoryTuning = {
  stepRecords: 128,
  stepBytes: 256 * 1024,
  shortGap: 256,
  keysMax: 2048,
  reach: 1024,
};

/** Ends the watcher if its next events are given up. @returns whether they are */
export function endIfCompacted(watcher: Watcher, source: WatchSource): boolean {
  const { compactedRevision } = source;
  if (watcher.next >= compactedRevision) return false;
  watcher.stream.endWith({ kind: "compacted", watcher, compactRevision: compactedRevision });
  return true;
}

export function failWatcher(watcher: Watcher, error: StrataError): void {
  watcher.stream.endWith({ kind: "failed", watcher, error });
}

/** Hands a watcher its `pending` events of revision `main`. @returns false if it has to wait for room first */
export function deliver(watcher: Watcher, main: number, current: number): boolean {
  const events = watcher.pending as readonly WatchEvent[];
  watcher.pending = undefined;
  if (watcher.stream.addHistory(watcher, current, events)) {
    watcher.next = main + 1;
    return true;
  }
  watcher.next = main;
  return false;
}
