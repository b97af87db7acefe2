/**
 * A defragmentation has put the new file in its place, and that cannot be opened for reading: the store has failed. A
 * snapshot, a hash or another defragmentation then took the old commit's pages out of the new file, where they are not.
 */
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

test("what reads the file by its name is refused once the swap has failed; gets go on", async () => {
  const inner = new PowerCutDisk();
  const disk = new ErrorDisk(inner);
  const options = { log: () => undefined, selfMaintain: false, batchIntervalMs: 1 };
  const store = await Strata.open({ disk }, options);
  for (let i = 0; i < 50; i++) await store.put(`k${i}`, "x".repeat(1000));
  await store.compact(store.status().revision, { physical: true });
  const name = "member/snap/db";
  disk.arm({ operations: "open", name, code: "EIO", nth: 1, lasts: "once" });
  const failed = { code: "FAILED", message: expect.stringContaining("EIO") };
  await expect(store.defragment({ force: true })).rejects.toMatchObject(failed);
  await expect(store.defragment({ force: true })).rejects.toMatchObject(failed);
  await expect(store.hashKv()).rejects.toMatchObject(failed);
  await expect(store.snapshot()).rejects.toMatchObject(failed);
  expect((await store.get("k7"))?.value.string()).toHaveLength(1000);
  await store.member.abandon();

  await using again = await Strata.open({ disk: inner.reboot(rng(1), "lose") }, options);
  expect(await again.count({ prefix: "k" })).toBe(50);
});
