import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { ManualClock, openTemporary } from "../testing.ts";

test("a temporary store is there to be used, and gone afterwards", async () => {
  const { store, dir, remove } = await openTemporary();
  await store.put("a", "1");
  expect(existsSync(dir)).toBe(true);
  await remove();
  await remove();
  expect(existsSync(dir)).toBe(false);
  await expect(store.put("a", "2")).rejects.toMatchObject({ code: "CLOSED" });
});

test("with a clock of its own, leases end when the test says so", async () => {
  const clock = new ManualClock();
  await using temporary = await openTemporary({ clock });
  const { store } = temporary;
  const { id } = await store.lease.grant(10);
  await store.put("a", "1", { lease: id });
  await clock.advance(9000);
  expect(await store.get("a")).toBeDefined();
  await clock.advance(2000);
  await expect.poll(() => store.get("a")).toBeUndefined();
});
