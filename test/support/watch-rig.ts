/** A small store with a hub on it, whose slices the test runs by hand. */

import { latin1 } from "../../src/base/bytes.ts";
import { decodeKeyValue } from "../../src/mvcc/key-value.ts";
import type { WatchBatch } from "../../src/mvcc/watch/watch-event.ts";
import { WatchHub, type WatchHubOptions } from "../../src/mvcc/watch/watch-hub.ts";
import { WatchStore } from "./watch-store.ts";

export class WatchRig {
  readonly store: WatchStore = new WatchStore();
  readonly slices: (() => void)[] = [];
  readonly hub: WatchHub;

  /** @param puts  of keys k0, k1, …, k9, k0, …, from revision 2 on, before there is a hub */
  constructor(options: Partial<WatchHubOptions> & { readonly puts?: number } = {}) {
    for (let i = 0; i < (options.puts ?? 0); i++) this.store.put(`k${i % 10}`, "v");
    this.hub = new WatchHub(this.store, {
      random: () => 0.5,
      schedule: (slice) => this.slices.push(slice),
      ...options,
    });
    this.store.hub = this.hub;
  }

  /** @returns whether there was one */
  slice(): boolean {
    const slice = this.slices.shift();
    slice?.();
    return slice !== undefined;
  }

  settle(): void {
    while (this.slice());
  }
}

/** One line a batch: `events@9 put a@8 (was 7) delete b@9`, `progress@9`, `compacted@9`. */
export function show(batch: WatchBatch | undefined): string {
  if (batch === undefined) return "nothing";
  if (batch.kind === "compacted") return `compacted@${batch.compactRevision}`;
  if (batch.kind === "failed") return `failed ${batch.error.code}`;
  if (batch.kind === "progress") return `progress@${batch.revision}`;
  const events = batch.events.map(({ type, kv, prevKv, modRevision }) => {
    const now = decodeKeyValue(kv);
    const before = prevKv === undefined ? undefined : decodeKeyValue(prevKv);
    const was = before === undefined ? "" : ` (was ${before.modRevision})`;
    const mod = now?.modRevision === BigInt(modRevision) ? modRevision : "wrong";
    return `${type} ${latin1(now?.key ?? new Uint8Array(0))}@${mod}${was}`;
  });
  return [`events@${batch.revision}`, ...events].join(" ");
}

/** All that can be taken now. */
export function takeAll(from: { take(): WatchBatch | undefined }): string[] {
  const lines: string[] = [];
  for (let batch = from.take(); batch !== undefined; batch = from.take()) lines.push(show(batch));
  return lines;
}
