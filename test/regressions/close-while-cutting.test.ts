/**
 * A log that was closed while its last batch cut the segment left the new one open: whoever waits is told as soon as the
 * old segment is synced, and the cut goes on.
 */
import { expect, test } from "vitest";
import { fixedSyncPolicy } from "../../src/wal/sync-policy.ts";
import { createWal, openWal } from "../../src/wal/wal.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";

test("a log that is closed with a cut to come is closed when the cut is done", async () => {
  const inner = new PowerCutDisk();
  const disk = new ErrorDisk(inner);
  const syncPolicy = fixedSyncPolicy("beside");
  const wal = createWal(disk, "wal", new Uint8Array(20), { segmentBytes: 4096, syncPolicy });
  const entry = { type: 0, term: 1, data: new Uint8Array(4096).fill(7) } as const;
  await wal.append([{ ...entry, index: 1 }]);
  const last = wal.append([{ ...entry, index: 2 }]);
  const closed = wal.close();
  await Promise.all([last, closed]);
  expect(wal.counts.cuts).toBe(1);
  expect(disk.openFiles).toEqual([]);
  expect(openWal(inner.folder("wal")).contents.entries).toHaveLength(2);
});
