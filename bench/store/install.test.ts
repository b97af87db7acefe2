import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { install, measureImport } from "./install.ts";

test("the package is packed, installed or counted, and imported", async () => {
  const { app, ownFiles, allFiles, packages } = install(scratchFolder("bench-install"), "offline");
  expect(ownFiles).toBeGreaterThan(0);
  expect(allFiles).toBeGreaterThan(ownFiles);
  expect(packages).toBeGreaterThan(1);
  const { importMs, processMs } = await measureImport(app, 1);
  expect(processMs.median).toBeGreaterThan(importMs.median);
});
