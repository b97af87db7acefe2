/**
 * A commit that failed while the log was replayed was noticed by nobody: the store opened, and took writes for ever that
 * no commit would ever hold. And when the buffer was full by then, the opening waited for a commit that did not come.
 */
import { expect, test } from "vitest";
import type { Strata } from "../../src/index.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { openTiny } from "../support/store-life.ts";

const DATABASE = "member/snap/db";

test("a store whose replay could not be committed does not open", async () => {
  let refused = 0;
  for (const operations of ["write", "sync"] as const) {
    for (let nth = 1; nth <= 10; nth++) {
      const inner = new PowerCutDisk();
      const first = await openTiny(inner, new ManualClock(), { batchLimit: 10_000 });
      for (let i = 0; i < 100; i++) await first.put(`key/${i}`, "value");
      await first.member.abandon();

      const disk = new ErrorDisk(inner);
      disk.arm({ operations, name: DATABASE, code: "ENOSPC", nth, lasts: "once" });
      const clock = new ManualClock();
      let store: Strata;
      try {
        store = await openTiny(disk, clock);
      } catch (error) {
        expect((error as Error).message).toMatch(/ENOSPC/);
        expect(disk.openFiles).toEqual([]);
        refused++;
        continue;
      }
      const failed = disk.failures > 0;
      const written = await store.put("more", "value").then(
        () => "written",
        ({ code }) => code as unknown,
      );
      expect(written).toBe(failed ? "FAILED" : "written");
      await store.member.abandon();
    }
  }
  expect(refused).toBeGreaterThan(5);
});

test("files are closed when the opening fails", async () => {
  for (let nth = 1; nth <= 40; nth++) {
    for (const operations of ["write", "sync", "read", "truncate"] as const) {
      const disk = new ErrorDisk(new PowerCutDisk());
      disk.arm({ operations, code: "EIO", nth, lasts: "once" });
      try {
        const store = await openTiny(disk, new ManualClock());
        await store.member.abandon();
      } catch {
        expect(disk.failures).toBe(1);
      }
      expect(disk.openFiles).toEqual([]);
    }
  }
});
