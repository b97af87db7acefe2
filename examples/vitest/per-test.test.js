/** A store for each test that asks for one. */
import { Strata } from "strata";
import { ErrorDisk, ManualClock, MemoryTree, openTemporary } from "strata/testing";
import { test as base, expect } from "vitest";
import { nextTicket } from "./ticket.js";

const test = base.extend({
  clock: async ({ task: _ }, use) => {
    await use(new ManualClock());
  },
  store: async ({ clock }, use) => {
    const store = await Strata.open({ memory: true }, { clock });
    await use(store);
    await store.close();
  },
});

test("nothing is left of other tests", async ({ store }) => {
  expect(await nextTicket(store, "a")).toBe(1);
});

test("a lease ends when the test says so", async ({ store, clock }) => {
  const { id } = await store.lease.grant(10);
  await store.put("session", "here", { lease: id });
  await clock.advance(9000);
  expect(await store.count("session")).toBe(1);
  await clock.advance(2000);
  await expect.poll(() => store.count("session")).toBe(0);
});

test("a durable store, in a folder that goes with it", async () => {
  const { store, remove } = await openTemporary();
  expect(await nextTicket(store, "a")).toBe(1);
  await remove();
});

test("a disk that is full: the call fails, and what was given out stays so", async () => {
  const disk = new ErrorDisk(new MemoryTree());
  const store = await Strata.open({ disk });
  expect(await nextTicket(store, "a")).toBe(1);
  disk.arm({ operations: "write", code: "ENOSPC", nth: 1, lasts: "from then on" });
  await expect(nextTicket(store, "a")).rejects.toThrow("ENOSPC");
  await store.close().catch(() => undefined);
  disk.heal();
  const again = await Strata.open({ disk });
  expect(await nextTicket(again, "a")).toBeGreaterThan(1);
  await again.close();
});
