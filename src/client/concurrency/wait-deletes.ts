/** Waits for those who came first. @see etcd client/v3/concurrency/key.go */
import { prefixEnd } from "../../api/key-range.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { watchError } from "../watch/watch-error.ts";
import type { ConcurrencyBase } from "./base.ts";
import { persist } from "./persist.ts";
import { SORT_BY_CREATE, SORT_DESCENDING } from "./requests.ts";

const DELETE = 1;

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
  const request = {
    key: prefix,
    rangeEnd: prefixEnd(prefix),
    limit: 1n,
    sortTarget: SORT_BY_CREATE,
    sortOrder: SORT_DESCENDING,
    maxCreateRevision,
  };
  for (;;) {
    const { header, kvs } = await persist(base, signal, () =>
      base.rpc.call(KV_METHODS.range, request, { signal }),
    );
    const [before] = kvs;
    if (before === undefined) return;
    await waitDelete(base, before.key, (header?.revision ?? 0n) + 1n, signal);
  }
}

/** Or until nobody can tell any more, because it was compacted away. */
async function waitDelete(
  { watches }: ConcurrencyBase,
  key: Uint8Array,
  startRevision: bigint,
  signal: AbortSignal,
): Promise<void> {
  for await (const response of watches.open({ key, startRevision }, { signal })) {
    const error = watchError(response);
    if (error?.code === "COMPACTED") return;
    if (error !== undefined) throw error;
    if (response.events.some(({ type }) => type === DELETE)) return;
  }
  signal.throwIfAborted();
  throw lostWatch();
}
