/** A data dir that is made below folders that are not there: its name is durable before anything in it is acknowledged. */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolders, SystemDirectory } from "../../native-free/file.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { PowerCutDisk, PowerCutError } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const NAMES = ["var", "lib", "etcd"];

/** How many of the folders are there, one in the other. */
function depth(disk: PowerCutDisk): number {
  let at = disk;
  for (const [i, name] of NAMES.entries()) {
    if (!at.exists(name)) return i;
    at = at.folder(name);
  }
  return NAMES.length;
}

test("power cut at every event: folders that were made are there, and none is without those above it", () => {
  const calm = new PowerCutDisk();
  makeFolders(calm, NAMES);
  expect(depth(calm.reboot(rng(1), "lose"))).toBe(NAMES.length);
  for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
    for (const survival of ["keep", "lose", "torn"] as const) {
      const disk = new PowerCutDisk({ cutAt });
      expect(() => makeFolders(disk, NAMES)).toThrow(PowerCutError);
      const left = disk.reboot(rng(cutAt), survival);
      const there = depth(left);
      expect(there).toBeLessThanOrEqual(Math.ceil(cutAt / 2));
      // Whoever comes next makes the rest.
      let from = left;
      for (const name of NAMES.slice(0, there)) from = from.folder(name);
      makeFolders(from, NAMES.slice(there));
      expect(depth(left)).toBe(NAMES.length);
    }
  }
});

test("every operation fails once: it is said", () => {
  for (const operations of ["folder", "sync-directory"] as const) {
    for (let nth = 1; nth <= NAMES.length; nth++) {
      const disk = new ErrorDisk(new PowerCutDisk(), {
        operations,
        code: "EIO",
        nth,
        lasts: "once",
      });
      expect(() => makeFolders(disk, NAMES)).toThrow("EIO");
    }
  }
});

test("a data dir deep below a folder that is there, and one that is there already", () => {
  const root = scratchFolder("folders");
  const path = join(root, ...NAMES);
  expect(SystemDirectory.make(path).list()).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  mkdirSync(join(path, "member"));
  expect(SystemDirectory.make(path).list()).toEqual(["member"]);
  expect(readdirSync(root)).toEqual(["var"]);
});
