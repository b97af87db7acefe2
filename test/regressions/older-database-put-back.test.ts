/**
 * Somebody puts an older copy of the database back, and leaves the log. The log was read from its newest snapshot on,
 * and what lay between that copy and the snapshot was silently left out.
 */
import { expect, test } from "vitest";
import type { Directory } from "../../native-free/file.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { openTiny } from "../support/store-life.ts";

function content(folder: Directory): Uint8Array {
  const file = folder.openFile("db", "read");
  const bytes = new Uint8Array(file.size());
  file.read(0, bytes);
  file.close();
  return bytes;
}

/** A store with `puts` keys, whose database is what it was after ten of them. */
async function withOlderDatabase(puts: number): Promise<PowerCutDisk> {
  const disk = new PowerCutDisk();
  const snap = disk.folder("member").folder("snap");
  const clock = new ManualClock();
  let copy = new Uint8Array();
  const store = await openTiny(disk, clock);
  for (let i = 1; i <= puts; i++) {
    await store.put(`key/${i}`, "x".repeat(300));
    if (i % 4 === 0) await clock.advance(25);
    if (i === 10) copy = Uint8Array.from(content(snap));
  }
  await store.close();
  expect(snap.list().filter((name) => name.endsWith(".snap")).length).toBeGreaterThan(0);
  const file = snap.openFile("db", "write");
  file.truncate(0);
  file.write(0, copy);
  file.close();
  return disk;
}

test("what the log has of it is applied again, from an earlier snapshot on", async () => {
  const disk = await withOlderDatabase(40);
  const store = await openTiny(disk, new ManualClock());
  expect(await store.count({ prefix: "key/" })).toBe(40);
  expect(Number(store.status().revision)).toBe(41);
  await store.close();
});

test("a log that does not reach back to it is an error, and not a gap", async () => {
  const disk = await withOlderDatabase(300);
  await expect(openTiny(disk, new ManualClock())).rejects.toMatchObject({
    code: "INCOMPATIBLE",
    message: expect.stringMatching(/member\/snap\/db has the log up to entry \d+, and the log in/),
  });
});
