/** What stands under a prefix, and then every change of it. @see etcd client/v3/mirror/syncer.go */
import { requestRange } from "../../api/key-range.ts";
import type { KeyValue } from "../../proto/tables/key-value.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import type { Event } from "../../proto/tables/watch.ts";
import { LONG_LIVED } from "../calls.ts";
import { persist } from "../concurrency/persist.ts";
import type { Rpc } from "../rpc.ts";
import { watchError } from "../watch/watch-error.ts";
import { Watches } from "../watch/watches.ts";

const PAGE_KEYS_MAX = 1000;
/** Before it is known how large the values are. */
const FIRST_PAGE_KEYS = 100;
const PAGE_BYTES = 8 * 1024 * 1024;

export class Syncer {
  readonly #rpc: Rpc;
  readonly #prefix: Uint8Array;
  #revision: bigint;

  /** @param revision  that is known already: changes come from the one after it. 0n: `base` finds the present one */
  constructor(rpc: Rpc, prefix: Uint8Array, revision = 0n) {
    this.#rpc = rpc;
    this.#prefix = prefix;
    this.#revision = revision;
  }

  /** The one that the base is of; later, that of the last change handed out. */
  get revision(): bigint {
    return this.#revision;
  }

  /**
   * All pairs as they were at one revision, by key, a page at a time. A server that goes away is waited for.
   * @throws EtcdError COMPACTED if it took too long; the signal's reason; what the server refuses
   */
  async *base(signal: AbortSignal): AsyncGenerator<readonly KeyValue[], void> {
    const { range } = KV_METHODS;
    let { key, rangeEnd } = requestRange({ prefix: this.#prefix });
    if (this.#revision === 0n) {
      const { header } = await persist({}, signal, () =>
        this.#rpc.call(range, { key, countOnly: true }, { signal }),
      );
      this.#revision = header?.revision ?? 0n;
    }
    for (let limit = FIRST_PAGE_KEYS; ; ) {
      const request = { key, rangeEnd, revision: this.#revision, limit: BigInt(limit) };
      const { kvs, more } = await persist({}, signal, () =>
        this.#rpc.call(range, request, { signal }),
      );
      if (kvs.length > 0) yield kvs;
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      const bytes = kvs.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0);
      limit = Math.max(1, Math.min(PAGE_KEYS_MAX, Math.floor((PAGE_BYTES / bytes) * kvs.length)));
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  /**
   * What has changed since, as it came together: whole revisions, in their order. It ends with the signal.
   * @throws EtcdError COMPACTED; what the server refuses
   */
  async *updates(signal: AbortSignal): AsyncGenerator<readonly Event[], void> {
    await using watches = new Watches(this.#rpc, { settings: () => LONG_LIVED });
    const range = requestRange({ prefix: this.#prefix });
    const ask = { ...range, startRevision: this.#revision + 1n, fragment: true };
    for await (const response of watches.open(ask, { signal })) {
      const error = watchError(response);
      if (error !== undefined) throw error;
      const last = response.events.at(-1);
      if (last === undefined) continue;
      yield response.events;
      this.#revision = last.kv?.modRevision ?? this.#revision;
    }
  }
}
