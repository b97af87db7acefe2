/**
 * A delete that was not in the page file yet reached watches that catch up on one key as a put without a value and with
 * revision 0: a record was looked for in the write buffer by its revision, and found whether it was a tombstone or not.
 */
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("a watch from the past sees a buffered delete as what it is", async () => {
  await using store = await Strata.open({ memory: true }, { clock: new ManualClock() });
  const { revision } = await store.put("a", "1");
  await store.delete("a");
  for await (const { events } of store.watch("a", { startRevision: revision })) {
    expect(events.map(({ type, kv }) => [type, kv.key.string(), kv.modRevision])).toEqual([
      ["put", "a", revision],
      ["delete", "a", revision + 1n],
    ]);
    break;
  }
});
