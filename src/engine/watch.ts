/** A watch as the library hands it out. */

import { type Keys, requestRange } from "../api/key-range.ts";
import { KeyValue } from "../api/value.ts";
import type { Watch, WatchEvent, WatchOptions, WatchResponse } from "../api/watch.ts";
import { wholeNumber } from "../api/whole-number.ts";
import { latin1 } from "../base/bytes.ts";
import { EtcdError } from "../base/errors.ts";
import type { WatchEvent as StoredEvent, WatchBatch } from "../mvcc/watch/watch-event.ts";
import { watchEvents } from "../mvcc/watch/watch-events.ts";
import type { WatchLimits } from "../mvcc/watch/watch-stream.ts";
import type { Member } from "./member.ts";

export interface WatchKeysOptions extends WatchOptions {
  /** What may wait to be taken before the watch falls behind. Default: 4 MiB and 10,000 events. */
  readonly limits?: WatchLimits | undefined;
}

export function watchKeys(
  member: Member,
  keys: Keys,
  options: WatchKeysOptions & { readonly signal?: AbortSignal | undefined },
): Watch {
  member.assertOpen();
  const { key, rangeEnd } = requestRange(keys);
  if (key.length === 0) throw new EtcdError("EMPTY_KEY");
  const signal = options.signal ?? new AbortController().signal;
  const batches = watchEvents(
    member.watches,
    {
      start: latin1(key),
      end: latin1(rangeEnd),
      startRevision: wholeNumber(options.startRevision ?? 0, "startRevision"),
      prevKv: options.prevKv ?? false,
      noPut: options.noPut ?? false,
      noDelete: options.noDelete ?? false,
      progressNotify: options.progressNotify ?? false,
    },
    signal,
    options.limits,
  );
  return new KeysWatch(batches, BigInt(member.store.currentRevision));
}

type Result = IteratorResult<WatchResponse, undefined>;

class KeysWatch implements Watch {
  readonly created: Promise<bigint>;
  readonly #batches: AsyncIterableIterator<WatchBatch>;
  #compactRevision: bigint | undefined;

  constructor(batches: AsyncIterableIterator<WatchBatch>, revision: bigint) {
    this.#batches = batches;
    this.created = Promise.resolve(revision);
  }

  get compactRevision(): bigint | undefined {
    return this.#compactRevision;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    const { value: batch, done } = await this.#batches.next();
    if (done) return { done: true, value: undefined };
    switch (batch.kind) {
      case "events":
        return { done: false, value: response(batch.revision, batch.events) };
      case "progress":
        return { done: false, value: response(batch.revision, []) };
      case "compacted":
        this.#compactRevision = BigInt(batch.compactRevision);
        throw new EtcdError("COMPACTED");
      case "failed":
        throw batch.error;
    }
  }

  async return(): Promise<Result> {
    await this.#batches.return?.();
    return { done: true, value: undefined };
  }
}

function response(revision: number, events: readonly StoredEvent[]): WatchResponse {
  return { revision: BigInt(revision), events: events.map(eventOf) };
}

function eventOf({ type, kv, prevKv }: StoredEvent): WatchEvent {
  return { type, kv: new KeyValue(kv, true), prevKv: prevKv && new KeyValue(prevKv, true) };
}
