/**
 * A new file's name lives in its directory, which nobody synced: a power cut after the first commits took the whole
 * file, acknowledged commits and all.
 */
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { scratchFolder } from "../support/cleanup.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("opening for writing makes the file's name durable, opening for reading does not touch it", () => {
  const synced: string[] = [];
  vi.spyOn(SystemDirectory.prototype, "sync").mockImplementation(function (this: SystemDirectory) {
    synced.push(this.path);
  });
  const path = join(scratchFolder("name"), "db");
  openPageFile(path).close();
  expect(synced).toEqual([dirname(path)]);
  openPageFile(path, { readOnly: true }).close();
  openPageFile(path, { noSync: true }).close();
  expect(synced).toEqual([dirname(path)]);
  // The process that made it may have been killed before it came to the directory.
  openPageFile(path).close();
  expect(synced).toEqual([dirname(path), dirname(path)]);
});
