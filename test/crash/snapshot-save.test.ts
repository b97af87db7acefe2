/** A snapshot that is saved: whole under its own name, or what was there before, wherever the disk or the power fails. */
import { expect, test } from "vitest";
import type { Directory } from "../../native-free/file.ts";
import { writeSnapshot } from "../../src/jobs/snapshot-save-work.ts";
import { ErrorDisk, type Operation } from "../support/error-disk.ts";
import { PowerCutDisk, PowerCutError } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const NAME = "backup.db";
const OLD = Buffer.from("the one before");
const PIECES = [1, 2, 3].map((byte) => new Uint8Array(1500).fill(byte));
const WHOLE = Buffer.concat(PIECES);

function save(directory: Directory): Promise<number> {
  return writeSnapshot(directory, NAME, PIECES, {
    wrote: () => undefined,
    sync: (file) => file.sync(),
  });
}

function read(directory: Directory): Buffer {
  const file = directory.openFile(NAME, "read");
  const bytes = Buffer.alloc(file.size());
  file.read(0, bytes);
  file.close();
  return bytes;
}

/** With an older snapshot under the name, on the disk. */
function diskWithOld(cutAt?: number): PowerCutDisk {
  const disk = new PowerCutDisk();
  const file = disk.openFile(NAME, "create");
  file.write(0, OLD);
  file.sync();
  file.close();
  disk.sync();
  return disk.reboot(rng(1), "lose", cutAt === undefined ? {} : { cutAt });
}

test("power cut at every event: the old one or the new one, and the new one once it is said", async () => {
  const calm = diskWithOld();
  expect(await save(calm)).toBe(WHOLE.length);
  expect(read(calm.reboot(rng(1), "lose"))).toEqual(WHOLE);
  const seen = new Set<string>();
  for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
    for (const survival of ["keep", "lose", "torn"] as const) {
      const disk = diskWithOld(cutAt);
      await expect(save(disk)).rejects.toThrow(PowerCutError);
      const left = disk.reboot(rng(cutAt), survival);
      const found = read(left).equals(OLD) ? "old" : "new";
      if (found === "new") expect(read(left)).toEqual(WHOLE);
      seen.add(found);
      expect(await save(left)).toBe(WHOLE.length);
      expect(left.list()).toEqual([NAME]);
      expect(read(left)).toEqual(WHOLE);
    }
  }
  expect([...seen].sort()).toEqual(["new", "old"]);
});

const OPERATIONS: readonly Operation[] = [
  "open",
  "write",
  "truncate",
  "sync",
  "rename",
  "sync-directory",
];

test.each(OPERATIONS)("%s fails: it is said, and no part of it is left", async (operations) => {
  const calm = new ErrorDisk(diskWithOld());
  await save(calm);
  const times = calm.count({ operations });
  expect(times).toBeGreaterThan(0);
  for (const code of ["EIO", "ENOSPC"] as const) {
    for (let nth = 1; nth <= times; nth++) {
      const inner = diskWithOld();
      const disk = new ErrorDisk(inner, { operations, code, nth, lasts: "once", shortWrite: true });
      await expect(save(disk)).rejects.toThrow(code);
      expect(disk.openFiles).toEqual([]);
      expect(inner.list()).toEqual([NAME]);
      // Once it has its name it is whole; only whether the name is durable is not known.
      expect(read(inner)).toEqual(operations === "sync-directory" ? WHOLE : OLD);
    }
  }
});

test("a disk that refuses the removal as well says what it refused first", async () => {
  const disk = new ErrorDisk(
    diskWithOld(),
    { operations: "write", code: "ENOSPC", nth: 1, lasts: "once" },
    { operations: "remove", code: "EIO", nth: 1, lasts: "once" },
  );
  await expect(save(disk)).rejects.toThrow("ENOSPC");
  expect(disk.failures).toBe(2);
});
