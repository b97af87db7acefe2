import { join } from "node:path";
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { makeHistory } from "./compaction.ts";

test.each([
  ["rounds", 20],
  ["spread", 21],
] as const)("a history of layout %s has its keys and its revisions", async (layout, keys) => {
  const dir = join(scratchFolder("bench-compaction"), "data");
  await makeHistory(dir, { keys: 20, versions: 5, layout });
  await using store = await Strata.open({ dir });
  expect(store.status().revision).toBe(101n);
  expect(store.member.store.index.liveKeys).toBe(keys);
});
