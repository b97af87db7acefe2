/** A watch as callers ask for it and get it: the same of a store in this process and of one reached by the network. */
import type { KeyValue } from "./value.ts";

export interface WatchOptions {
  /** The first revision that is of interest; none or 0: what comes from now on. */
  readonly startRevision?: bigint | number | undefined;
  /** With every event, what the key was before it. */
  readonly prevKv?: boolean | undefined;
  readonly noPut?: boolean | undefined;
  readonly noDelete?: boolean | undefined;
  /** Now and then, when nothing happens, a batch without events that says how far it has come. */
  readonly progressNotify?: boolean | undefined;
}

export interface WatchEvent {
  readonly type: "put" | "delete";
  /** Of a delete, only the key and the revision. */
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | undefined;
}

export interface WatchResponse {
  /** Everything up to it has been handed out, as far as the events in here go; without events, without exception. */
  readonly revision: bigint;
  readonly events: readonly WatchEvent[];
}

/** To be iterated once. It ends when its signal aborts, when the store is closed, and when the consumer breaks out. */
export interface Watch extends AsyncIterableIterator<WatchResponse> {
  /**
   * The store's revision when the watch had begun: what is written after it is seen, if no start was asked for. It never
   * rejects; undefined: the watch ended before that.
   */
  readonly created: Promise<bigint | undefined>;
  /** Given up, if that is why it ended. */
  readonly compactRevision: bigint | undefined;
}
