/**
 * A write that ended short, for want of space, left half a record in front of zeros that were laid out before: no torn
 * record at the end, but damage, and a log that nobody opened any more.
 */
import { expect, test } from "vitest";
import { createWal, openWal } from "../../src/wal/wal.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";

test("what a short write left of a batch is cut off", async () => {
  const inner = new PowerCutDisk();
  const disk = new ErrorDisk(inner);
  const wal = createWal(disk, "wal", new Uint8Array(20), { segmentBytes: 4096 });
  const entry = { type: 0, term: 1, data: new Uint8Array(300).fill(7) } as const;
  await wal.append([{ ...entry, index: 1 }]);
  disk.arm({ operations: "write", code: "ENOSPC", nth: 1, lasts: "once", shortWrite: true });
  await expect(wal.append([{ ...entry, index: 2 }])).rejects.toMatchObject({ code: "FAILED" });
  await wal.close();
  const again = openWal(inner.folder("wal"));
  expect(again.contents.entries.map(({ index }) => index)).toEqual([1]);
  await again.wal.append([{ ...entry, index: 2 }]);
  await again.wal.close();
});
