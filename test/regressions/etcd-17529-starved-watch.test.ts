/** etcd #17529: of a stream that is read too slowly events are lost. And #15220: progress runs ahead of them. */
import { expect, test } from "vitest";
import { op, Strata } from "../../src/index.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("watches that are read slowly, and told progress meanwhile, see every event once and in order", async () => {
  const clock = new ManualClock();
  await using store = await Strata.open({ memory: true }, { clock, watchProgressIntervalMs: 1000 });
  const limits = { maxBufferedBytes: 2000, maxBufferedEvents: 5 };
  const watches = Array.from({ length: 20 }, () =>
    store.watch({ prefix: "k" }, { limits, progressNotify: true, prevKv: true }),
  );
  const readers = watches.map(async (watch, reader) => {
    const seen: bigint[] = [];
    for await (const { events, revision } of watch) {
      for (const { kv } of events) seen.push(kv.modRevision);
      // Progress is a promise: nothing up to it is still to come.
      if (events.length === 0) expect(seen.at(-1) ?? 1n).toBe(revision);
      if (seen.length === 300) break;
      for (let turn = reader % 4; turn > 0; turn--) await new Promise((go) => setImmediate(go));
    }
    return seen;
  });
  for (let i = 0; i < 300; i++) {
    await store.txn({ success: [op.put(`k${i % 7}`, "x".repeat(i))] });
    if (i % 30 === 0) await clock.advance(1200);
  }
  const right = Array.from({ length: 300 }, (_, i) => BigInt(i + 2));
  for (const seen of await Promise.all(readers)) expect(seen).toEqual(right);
  expect(store.member.watches.watchers).toBe(0);
});
