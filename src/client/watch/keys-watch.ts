/** A watch as callers have it: the same as a store's in the process. */
import { type Keys, requestRange } from "../../api/key-range.ts";
import { KeyValue } from "../../api/value.ts";
import type { Watch, WatchEvent, WatchOptions, WatchResponse } from "../../api/watch.ts";
import { int64 } from "../../api/whole-number.ts";
import { compareBytes } from "../../base/bytes.ts";
import { EtcdError, StrataError } from "../../base/errors.ts";
import { ALL_FROM } from "../../proto/messages.ts";
import type { KeyValue as SentKeyValue } from "../../proto/tables/key-value.ts";
import type { Event, WatchResponse as SentResponse } from "../../proto/tables/watch.ts";
import type { Watch as SentWatch } from "./watch.ts";
import { isProgress, watchError } from "./watch-error.ts";
import type { Watches } from "./watches.ts";

const FILTER = { noPut: 0, noDelete: 1 } as const;
const DELETE = 1;
const NOTHING: SentKeyValue = {
  key: new Uint8Array(0),
  createRevision: 0n,
  modRevision: 0n,
  version: 0n,
  value: new Uint8Array(0),
  lease: 0n,
};

/** @throws EtcdError EMPTY_KEY; StrataError BAD_ARGUMENT for a range that cannot have keys */
export function watchKeys(
  watches: Watches,
  keys: Keys,
  options: WatchOptions & { readonly signal?: AbortSignal | undefined },
): Watch {
  const { key, rangeEnd } = requestRange(keys);
  if (key.length === 0) throw new EtcdError("EMPTY_KEY");
  const isBounded = rangeEnd.length > 0 && compareBytes(rangeEnd, ALL_FROM) !== 0;
  if (isBounded && compareBytes(rangeEnd, key) <= 0) {
    throw new StrataError("BAD_ARGUMENT", "mvcc: watcher range is empty");
  }
  const startRevision = revisionOf(options.startRevision ?? 0n);
  const filters = [
    ...(options.noPut ? [FILTER.noPut] : []),
    ...(options.noDelete ? [FILTER.noDelete] : []),
  ];
  const { prevKv = false, progressNotify = false, signal } = options;
  const ask = { key, rangeEnd, startRevision, filters, prevKv, progressNotify, fragment: true };
  return new KeysWatch(watches.open(ask, { signal }));
}

function revisionOf(revision: bigint | number): bigint {
  if (typeof revision === "number" && !Number.isSafeInteger(revision)) {
    const what = `startRevision must be a whole number, and is ${revision}`;
    throw new StrataError("BAD_ARGUMENT", what);
  }
  const start = int64(BigInt(revision), "startRevision");
  if (start >= 0n) return start;
  throw new StrataError("BAD_ARGUMENT", `a watch cannot start at revision ${start}`);
}

class KeysWatch implements Watch {
  readonly created: Promise<bigint | undefined>;
  readonly #watch: SentWatch;
  #compactRevision: bigint | undefined;

  constructor(watch: SentWatch) {
    this.#watch = watch;
    this.created = watch.created.then((header) => header?.revision);
  }

  get compactRevision(): bigint | undefined {
    return this.#compactRevision;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<WatchResponse, undefined>> {
    for (;;) {
      const { value: response, done } = await this.#watch.next();
      if (done) return { done: true, value: undefined };
      this.#throwIfOver(response);
      const { events, header } = response;
      if (events.length === 0 && !isProgress(response)) continue;
      const value = { revision: header?.revision ?? 0n, events: events.map(eventOf) };
      return { done: false, value };
    }
  }

  async return(): Promise<IteratorResult<WatchResponse, undefined>> {
    this.#watch.cancel();
    return { done: true, value: undefined };
  }

  #throwIfOver(response: SentResponse): void {
    const error = watchError(response);
    if (error === undefined) return;
    if (response.compactRevision !== 0n) this.#compactRevision = response.compactRevision;
    throw error;
  }
}

function eventOf({ type, kv = NOTHING, prevKv }: Event): WatchEvent {
  return {
    type: type === DELETE ? "delete" : "put",
    kv: keyValueOf(kv),
    prevKv: prevKv && keyValueOf(prevKv),
  };
}

export function keyValueOf({
  key,
  value,
  createRevision,
  modRevision,
  version,
  lease,
}: SentKeyValue): KeyValue {
  return new KeyValue({
    key,
    createRevision: Number(createRevision),
    modRevision: Number(modRevision),
    version: Number(version),
    value,
    lease,
  });
}
