import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { PowerCutDisk, PowerCutError } from "../../test/support/power-cut-disk.ts";
import { rng } from "../../test/support/rng.ts";
import { removeInSteps } from "./remove-in-steps.ts";

test.each([0, 99, 100, 101, 1000, 1001])("a file of %i bytes is gone", (bytes) => {
  const folder = new MemoryTree();
  const file = folder.openFile("old", "create");
  file.write(0, new Uint8Array(bytes));
  file.close();
  removeInSteps(folder, "old", "aside", 100);
  expect(folder.list()).toEqual([]);
});

/** A file of 1000 bytes that is on the disk, and its removal, until the power goes out. @returns whether it did not */
function removed(disk: PowerCutDisk): boolean {
  try {
    const file = disk.openFile("old", "create");
    file.write(0, new Uint8Array(1000).fill(7));
    file.sync();
    disk.sync();
    file.close();
    removeInSteps(disk, "old", "aside", 100);
    return true;
  } catch (error) {
    if (!(error instanceof PowerCutError)) throw error;
    return false;
  }
}

/** Making it takes so many events. */
const MADE = 4;

test("a power loss never leaves a part of it under its own name", () => {
  const seen = new Set<string>();
  const calm = new PowerCutDisk();
  expect(removed(calm)).toBe(true);
  for (let cutAt = MADE + 1; cutAt <= calm.events; cutAt++) {
    for (const survival of ["keep", "lose", "torn", "torn"] as const) {
      const disk = new PowerCutDisk({ cutAt });
      expect(removed(disk)).toBe(false);
      const after = disk.reboot(rng(cutAt), survival);
      for (const name of after.list()) {
        seen.add(name);
        if (name === "old") expect(after.openFile("old", "read").size()).toBe(1000);
      }
    }
  }
  expect([...seen].sort()).toEqual(["aside", "old"]);
});
