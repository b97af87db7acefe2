/**
 * An alarm was looked at only after a commit: when whoever had read an old state was gone, and with it what had kept the
 * file full, the alarm stayed until somebody wrote again.
 */
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { ManualClock } from "../support/manual-clock.ts";

const QUOTA_BYTES = 4 * 2 ** 20;

/** More than readers of old states may make the file grow beyond the quota. */
const READ_BYTES = QUOTA_BYTES + 64 * 2 ** 20;

test("an alarm goes when its cause is gone, without a write", async () => {
  const clock = new ManualClock();
  const options = { clock, log: () => undefined, quotaBytes: QUOTA_BYTES };
  await using store = await Strata.open({ memory: true }, options);
  const { backend } = store.member;
  await store.put("before", "v");
  await backend.commit();
  // As it is while somebody reads a large old state, to the last page.
  const { space } = backend;
  const pinned = { ...space, sizeBytes: READ_BYTES, reusableBytes: 0, pinnedBytes: READ_BYTES };
  Object.defineProperty(backend, "space", { configurable: true, value: pinned });
  const reader = backend.pin("a reader");
  await expect(store.put("key", "value")).rejects.toMatchObject({ code: "NO_SPACE" });
  await backend.commit();
  await clock.advance(60_000);
  expect(store.status().alarms).toHaveLength(1);
  reader.release();
  await clock.advance(11_000);
  expect(store.status().alarms).toEqual([]);
});
