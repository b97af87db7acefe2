/** Going back to the older root forgets the newer one: wherever the disk fails at that, one of the two is in force. */
import { expect, test } from "vitest";
import type { Directory } from "../../native-free/file.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { ErrorDisk, type Operation } from "../support/error-disk.ts";
import { PowerCutDisk, PowerCutError } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const NAME = "db";
const BUCKET = utf8("b");
const KEY = utf8("k");

/** With three commits, of which the last put "3". */
function written(): PowerCutDisk {
  const disk = new PowerCutDisk();
  const file = PageFile.open(disk.openFile(NAME, "create"));
  for (const value of ["1", "2", "3"]) {
    file.update((tx) => tx.createBucketIfNotExists(BUCKET).put(KEY, utf8(value)));
  }
  file.close();
  disk.sync();
  return disk;
}

function goBack(directory: Directory): PageFile {
  const file = directory.openFile(NAME, "write");
  try {
    return PageFile.open(file, { olderRoot: true });
  } catch (error) {
    file.close();
    throw error;
  }
}

function valueIn(directory: Directory): string {
  using file = PageFile.open(directory.openFile(NAME, "write"));
  expect(file.check().faults).toEqual([]);
  return file.view((tx) => Buffer.from(tx.bucket(BUCKET)?.get(KEY) ?? []).toString());
}

test("the older root is in force, and stays so", () => {
  const disk = written();
  goBack(disk).close();
  expect(valueIn(disk.reboot(rng(1), "lose"))).toBe("2");
});

test("power cut at every event", () => {
  const calm = written().reboot(rng(1), "lose");
  goBack(calm).close();
  for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
    for (const survival of ["keep", "lose", "torn"] as const) {
      const disk = written().reboot(rng(1), "lose", { cutAt });
      expect(() => goBack(disk)).toThrow(PowerCutError);
      expect(["2", "3"]).toContain(valueIn(disk.reboot(rng(cutAt), survival)));
    }
  }
});

test.each<Operation>(["write", "sync"])("%s fails, each in its turn", (operations) => {
  const calm = new ErrorDisk(written());
  goBack(calm).close();
  const times = calm.count({ operations });
  expect(times).toBeGreaterThan(0);
  for (let nth = 1; nth <= times; nth++) {
    const inner = written();
    const disk = new ErrorDisk(inner, {
      operations,
      code: "EIO",
      nth,
      lasts: "once",
      shortWrite: true,
    });
    expect(() => goBack(disk)).toThrow("EIO");
    expect(disk.openFiles).toEqual([]);
    expect(["2", "3"]).toContain(valueIn(inner));
  }
});
