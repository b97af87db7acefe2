/**
 * A reader that outlived its file read on through the closed file's descriptor: with luck an EBADF, without it the
 * bytes of whatever file had been given the same number since.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SystemFile } from "../../native-free/file.ts";
import { StrataError } from "../../src/base/errors.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";

const folder = mkdtempSync(join(tmpdir(), "strata-closed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("after the file was closed, its readers and walks say so", () => {
  const name = Buffer.from("b");
  const path = join(folder, "db");
  const first = PageFile.open(new SystemFile(path, "create"));
  first.update((tx) => tx.createBucket(name).put(name, Buffer.alloc(5000)));
  first.close();

  const file = PageFile.open(new SystemFile(path, "read"), { readOnly: true });
  const reader = file.beginRead();
  const source = file.walkSource();
  file.close();
  const other = new SystemFile(path, "read"); // Takes the number that became free.
  const closed = (error: unknown): boolean =>
    error instanceof StrataError && error.code === "CLOSED";
  for (const look of [
    () => reader.bucket(name),
    () => reader.cursor().first(),
    () => source.readSome(0, new Uint8Array(16)),
    () => source.size(),
    () => file.check(),
    () => file.beginRead(),
  ]) {
    let thrown: unknown;
    try {
      look();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toSatisfy(closed);
  }
  reader.close();
  other.close();
});
