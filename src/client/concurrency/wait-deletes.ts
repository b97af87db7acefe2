/** Waits for those who came first. @see etcd client/v3/concurrency/key.go */
import { KV_METHODS } from "../../proto/tables/kv.ts";
import type { WatchResponse } from "../../proto/tables/watch.ts";
import { watchError } from "../watch/watch-error.ts";
import type { ConcurrencyBase } from "./base.ts";
import { persist } from "./persist.ts";
import { lastCreated } from "./requests.ts";

/** Of an event. */
export const DELETE = 1;

/**
 * Until no key with the prefix is left that was made at `maxCreateRevision` or before. Only the last of these is
 * watched: when a holder goes, one waits no more, and not all.
 * @throws the signal's reason, and as every call
 */
export async function waitDeletes(
  base: ConcurrencyBase,
  prefix: Uint8Array,
  maxCreateRevision: bigint,
  signal: AbortSignal,
): Promise<void> {
  const request = lastCreated(prefix, maxCreateRevision);
  for (;;) {
    const { header, kvs } = await persist(base, signal, () =>
      base.rpc.call(KV_METHODS.range, request, { signal }),
    );
    const [before] = kvs;
    if (before === undefined) return;
    const startRevision = (header?.revision ?? 0n) + 1n;
    const watched = { key: before.key, startRevision };
    for await (const { events } of responses(base, watched, signal)) {
      if (events.some(({ type }) => type === DELETE)) break;
    }
  }
}

/**
 * Of a watch. It ends when what it would have to tell is compacted away: who wants to know looks at the keys again.
 * @throws the signal's reason; why the server ended it
 */
export async function* responses(
  { watches }: ConcurrencyBase,
  ask: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array; readonly startRevision: bigint },
  signal: AbortSignal,
): AsyncGenerator<WatchResponse, void> {
  for await (const response of watches.open(ask, { signal })) {
    const error = watchError(response);
    if (error?.code === "COMPACTED") return;
    if (error !== undefined) throw error;
    yield response;
  }
  signal.throwIfAborted();
}
