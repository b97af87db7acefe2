/**
 * The new file of a defragmentation had taken the database's name, and could not be opened for reading: the store
 * refused writes, as it must, but hashes, snapshots and the next defragmentation went by the name, and read the new
 * file by the old file's root.
 */
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { Strata } from "../../src/index.ts";
import { ErrorDisk } from "../support/error-disk.ts";

test("a store that has lost sight of its file takes nothing long from it, and is whole when it is opened again", async () => {
  const inner = new MemoryTree();
  const disk = new ErrorDisk(inner);
  const quiet = { log: () => undefined, selfMaintain: false };
  const store = await Strata.open({ disk }, quiet);
  for (let i = 0; i < 50; i++) await store.put(`k${i}`, "x".repeat(500));
  await store.delete({ prefix: "k1" });
  await store.compact(store.status().revision, { physical: true });

  const name = "member/snap/db";
  disk.arm({ operations: "open", name, nth: 1, lasts: "once", code: "EIO" });
  await expect(store.defragment({ force: true })).rejects.toMatchObject({ code: "FAILED" });
  expect(disk.failed).toEqual([`open ${name}`]);

  const failed = { code: "FAILED", message: expect.stringContaining("must be opened again") };
  await expect(store.defragment({ force: true })).rejects.toMatchObject(failed);
  await expect(store.hashKv()).rejects.toMatchObject(failed);
  await expect(store.snapshot()).rejects.toMatchObject(failed);
  await expect(store.check()).rejects.toMatchObject(failed);
  await expect(store.put("k0", "y")).rejects.toMatchObject({ code: "FAILED" });
  expect((await store.get("k0"))?.value.string()).toBe("x".repeat(500));
  await store.close().catch(() => undefined);

  await using again = await Strata.open({ disk: inner }, quiet);
  expect((await again.get("k49"))?.value.string()).toBe("x".repeat(500));
  expect(await again.get("k1")).toBeUndefined();
  expect(await again.check()).toMatchObject({ ok: true });
});
