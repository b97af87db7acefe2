import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ShortReadError, SystemDirectory, SystemFile, unwritten } from "./file.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "strata-file-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("bytes written at a position read back, and a gap reads as zeros", () => {
  const file = new SystemFile(join(dir, "a"), "create");
  file.write(10, new Uint8Array([1, 2, 3]));
  file.sync();
  const into = new Uint8Array(13).fill(9);
  file.read(0, into);
  expect([...into]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  expect(file.size()).toBe(13);
  file.close();
  file.close();
});

test("a read past the end names the file, the offset and both lengths", () => {
  const file = new SystemFile(join(dir, "short"), "create");
  file.write(0, new Uint8Array(5));
  expect(() => file.read(2, new Uint8Array(10))).toThrow(ShortReadError);
  expect(() => file.read(2, new Uint8Array(10))).toThrow(/short: offset 2: .* 3 of 10 bytes/);
  expect(file.readSome(2, new Uint8Array(10))).toBe(3);
  expect(file.readSome(50, new Uint8Array(10))).toBe(0);
  file.close();
});

test.each([
  { where: "here", write: (file: SystemFile, parts: Uint8Array[]) => file.writeParts(7, parts) },
  {
    where: "beside",
    write: (file: SystemFile, parts: Uint8Array[]) => file.writePartsBeside(7, parts),
  },
])("more parts than one writev takes are written one after another, $where", async ({ write }) => {
  const file = new SystemFile(join(dir, "parts"), "create");
  const parts = Array.from({ length: 2500 }, (_, i) => new Uint8Array((i % 5) + 1).fill(i & 0xff));
  await write(file, parts);
  const expected = Buffer.concat(parts);
  const into = Buffer.alloc(expected.length);
  file.read(7, into);
  expect(into.equals(expected)).toBe(true);
  file.close();
});

test.each([
  [0, ["0 1,2", "2 3", "3 4,5,6"]],
  [1, ["1 2", "2 3", "3 4,5,6"]],
  [2, ["2 3", "3 4,5,6"]],
  [4, ["4 5,6"]],
  [6, []],
])("after %i bytes of a short write, the rest is known part by part", (doneBytes, left) => {
  const parts = [[1, 2], [], [3], [4, 5, 6]].map((part) => Uint8Array.from(part));
  const found = unwritten(parts, doneBytes).map(({ start, bytes }) => `${start} ${bytes}`);
  expect(found).toEqual(left);
});

test("a full disk is an error of the write, here and beside", async () => {
  const full = new SystemFile("/dev/full", "write");
  const parts = [new Uint8Array(3), new Uint8Array(4)];
  expect(() => full.writeParts(0, parts)).toThrow(/ENOSPC/);
  await expect(full.writePartsBeside(0, parts)).rejects.toMatchObject({ code: "ENOSPC" });
  full.close();
});

test("a directory lists in byte order, renames over, removes, and creates exclusively once", () => {
  const directory = new SystemDirectory(dir);
  for (const name of ["b", "a", "B"]) directory.openFile(name, "create").close();
  expect(directory.list()).toEqual(["B", "a", "b"]);
  directory.rename("a", "b");
  directory.sync();
  expect(directory.list()).toEqual(["B", "b"]);
  expect(() => directory.openFile("b", "create-exclusive")).toThrow(/EEXIST/);
  directory.remove("b");
  expect(directory.exists("b")).toBe(false);
  expect(() => directory.openFile("b", "read")).toThrow(/ENOENT/);
});
