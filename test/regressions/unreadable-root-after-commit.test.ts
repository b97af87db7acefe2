/**
 * A commit was done, and its root could not be read: the view of the root before was closed by then, and every read
 * from there on failed with "the transaction is over".
 */
import { expect, test } from "vitest";
import { ErrorDisk } from "../support/error-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { openTiny } from "../support/store-life.ts";

test("reads go on when the root of a commit cannot be read", async () => {
  const told: string[] = [];
  for (let nth = 1; nth <= 4; nth++) {
    const disk = new ErrorDisk(new PowerCutDisk());
    const clock = new ManualClock();
    const store = await openTiny(disk, clock, { cacheBytes: 0 });
    await store.put("a", "1");
    await clock.advance(25);
    await store.put("a", "2");
    disk.arm({ operations: "read", name: "member/snap/db", code: "EIO", nth, lasts: "once" });
    await clock.advance(25);
    const { failure } = store.status();
    if (failure !== undefined) told.push(failure);
    expect((await store.get("a"))?.value.string()).toBe("2");
    expect((await store.get("a", { revision: 2 }))?.value.string()).toBe("1");
    await store.close();
  }
  expect(told.length).toBeGreaterThan(0);
  for (const failure of told) expect(failure).toMatch(/EIO/);
});
