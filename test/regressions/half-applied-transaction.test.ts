/**
 * A read that failed in the middle of a transaction broke the store, as it must; but what the transaction had put by
 * then was read from there on, though it was refused.
 */
import { expect, test } from "vitest";
import { compare, op, type Strata, type TxnResponse } from "../../src/index.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { openTiny } from "../support/store-life.ts";

const DATABASE = "member/snap/db";

test("nothing of a transaction that broke is read", async () => {
  const inner = new PowerCutDisk();
  const first = await openTiny(inner, new ManualClock());
  await first.put("a", "old");
  for (let i = 0; i < 300; i++) await first.put(`filler/${i}`, "x".repeat(500));
  await first.close();

  const disk = new ErrorDisk(inner);
  const store = await openTiny(disk, new ManualClock(), { cacheBytes: 0 });
  disk.arm({ operations: "read", name: DATABASE, code: "EIO", nth: 1, lasts: "once" });
  const then = [op.put("a", "new"), op.put("b", "new"), op.delete("filler/7", { prevKv: true })];
  await expect(store.txn({ success: then })).rejects.toMatchObject({ code: "FAILED" });
  expect(disk.failed).toEqual([`read ${DATABASE}`]);

  expect((await store.get("a"))?.value.string()).toBe("old");
  expect(await store.get("b")).toBeUndefined();
  expect(await store.count({ prefix: "" })).toBe(301);
  const read = await readBoth(store);
  expect(read.succeeded).toBe(true);
  expect(read.responses.map((one) => (one.kind === "range" ? one.kvs.length : -1))).toEqual([1, 0]);
  await store.close();

  // It is in the log, all the same: as a write that nobody was told of, it may come about.
  const again = await openTiny(inner, new ManualClock());
  expect((await again.get("a"))?.value.string()).toBe("new");
  expect((await again.get("b"))?.value.string()).toBe("new");
  expect(await again.get("filler/7")).toBeUndefined();
  await again.close();
});

function readBoth(store: Strata): Promise<TxnResponse> {
  const then = [op.get("a"), op.get("b")];
  return store.txn({ compare: [compare.value("a", "=", "old")], success: then });
}
