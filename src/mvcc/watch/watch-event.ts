/** What a watch hands out: events, in batches. Bytes are shared among watchers: nobody may write to them. */
import type { StrataError } from "../../base/errors.ts";
import { keyValueBytesMax, putKeyValue } from "../../proto/key-value.ts";
import { EMPTY_BYTES } from "../../proto/protobuf.ts";
import type { Watcher } from "./watcher.ts";

export interface WatchEvent {
  readonly type: "put" | "delete";
  /** The revision of the change. */
  readonly modRevision: number;
  /** The encoded mvccpb.KeyValue; of a delete only key and mod_revision. */
  readonly kv: Uint8Array;
  /** The encoded pair before the transaction, if the watcher asked for it and there was one that is not compacted. */
  readonly prevKv: Uint8Array | undefined;
}

/**
 * | kind      | meaning                                                                                              |
 * | --------- | ---------------------------------------------------------------------------------------------------- |
 * | events    | at least one; whole revisions, in order. `revision` is for the header: of a live batch that of its events, of history the current one |
 * | progress  | every event up to `revision` has been handed out before; `watcher` is undefined if that holds for all of the stream |
 * | compacted | the next events are given up; the watcher is over                                                     |
 * | failed    | history could not be read; the watcher is over                                                        |
 *
 * Watchers with the same events have the same `events` array, if it is of one change: what is made of it for one
 * (its encoding, say) can be kept for the others.
 */
export type WatchBatch =
  | {
      readonly kind: "events";
      readonly watcher: Watcher;
      readonly revision: number;
      readonly events: readonly WatchEvent[];
    }
  | {
      readonly kind: "progress";
      readonly watcher: Watcher | undefined;
      readonly revision: number;
    }
  | { readonly kind: "compacted"; readonly watcher: Watcher; readonly compactRevision: number }
  | { readonly kind: "failed"; readonly watcher: Watcher; readonly error: StrataError };

/** What an event costs beside its bytes, about. */
const EVENT_BYTES = 96;

export function bytesOf(events: readonly WatchEvent[]): number {
  let bytes = 0;
  for (const { kv, prevKv } of events) {
    bytes += EVENT_BYTES + kv.length + (prevKv === undefined ? 0 : prevKv.length);
  }
  return bytes;
}

/** The KeyValue of a delete event: the key and, which the page file's tombstone lacks, mod_revision. */
export function encodeDeleted(key: string, modRevision: number): Uint8Array {
  const bytes = Buffer.from(key, "latin1");
  const kv = new Uint8Array(keyValueBytesMax(bytes.length, 0));
  return kv.slice(0, putKeyValue(kv, 0, bytes, 0, modRevision, 0, EMPTY_BYTES, 0n));
}
