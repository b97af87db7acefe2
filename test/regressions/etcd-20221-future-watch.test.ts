/** etcd #20221: a watch of a future revision is told older events, and progress before its start. */
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { Strata } from "../../src/index.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("nothing before its start, live, behind, and begun again after a restart", async () => {
  const clock = new ManualClock();
  const disk = new MemoryTree();
  const options = { clock, watchProgressIntervalMs: 1000 };
  let store = await Strata.open({ disk }, options);
  for (let start = 0; start < 2; start++) {
    const { revision } = await store.put("a", "now");
    const watch = store.watch("a", {
      startRevision: revision + 4n,
      progressNotify: true,
      limits: { maxBufferedBytes: 1, maxBufferedEvents: 1 },
    });
    for (let i = 0; i < 8; i++) {
      await store.put("a", `${i}`);
      if (i < 3) await clock.advance(2000);
    }
    const seen: bigint[] = [];
    for await (const response of watch) {
      expect(response.events.length).toBeGreaterThan(0);
      for (const { kv } of response.events) seen.push(kv.modRevision);
      if (seen.length === 5) break;
    }
    expect(seen).toEqual([4n, 5n, 6n, 7n, 8n].map((by) => revision + by));
    await store.close();
    store = await Strata.open({ disk }, options);
  }
  await store.close();
});
