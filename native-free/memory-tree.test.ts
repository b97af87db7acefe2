import { expect, test } from "vitest";
import {
  describeDirectory,
  describeDirectoryTree,
  describeSyncBeside,
} from "../test/support/directory-suite.ts";
import { Extent } from "../test/support/extent.ts";
import { rng } from "../test/support/rng.ts";
import { MemoryTree } from "./memory-tree.ts";

function folderOf(tree: MemoryTree): MemoryTree {
  tree.makeFolder("wal");
  return tree.folder("wal");
}

describeDirectory("memory", () => new MemoryTree());
describeDirectoryTree("memory", () => new MemoryTree());
describeSyncBeside("memory", () => new MemoryTree());
describeDirectory("a folder in memory", () => folderOf(new MemoryTree()));

test.each([1, 2, 3])("random changes agree with another file in memory, seed %i", (seed) => {
  const chance = rng(seed);
  const file = new MemoryTree().openFile("a", "create");
  const extent = new Extent();
  for (let step = 0; step < 400; step++) {
    const at = chance.int(400_000);
    if (chance.bool(0.7)) {
      const bytes = chance.bytes(chance.int(chance.bool(0.2) ? 150_000 : 600));
      file.write(at, bytes);
      extent.write(at, bytes);
    } else {
      file.truncate(at);
      extent.truncate(at);
    }
    expect(file.size()).toBe(extent.size);
    const from = chance.int(extent.size + 1);
    const ours = new Uint8Array(chance.int(200_000)).fill(0xee);
    const theirs = ours.slice();
    expect(file.readSome(from, ours)).toBe(extent.read(from, theirs));
    expect(Buffer.compare(ours, theirs)).toBe(0);
  }
});

test("what is laid out in advance takes no memory until it is written", () => {
  const file = new MemoryTree().openFile("a", "create");
  const before = process.memoryUsage().arrayBuffers;
  file.truncate(2 ** 40);
  file.write(2 ** 30, new Uint8Array([1]));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  const into = new Uint8Array(2);
  file.read(2 ** 30, into);
  expect([...into]).toEqual([1, 0]);
});

test("a folder is found by its name, whoever stands there by now", () => {
  const tree = new MemoryTree("/m");
  const handle = tree.folder("member").folder("wal");
  expect(handle.path).toBe("/m/member/wal");
  expect(() => handle.list()).toThrow("ENOENT: no such file or directory, open '/m/member'");
  tree.makeFolder("other");
  tree.folder("other").makeFolder("wal");
  tree.folder("other").folder("wal").openFile("a", "create").close();
  tree.rename("other", "member");
  expect(handle.list()).toEqual(["a"]);
  tree.openFile("file", "create").close();
  expect(() => tree.folder("file").list()).toThrow("ENOTDIR");
  expect(() => tree.rename("member", "file")).toThrow("ENOTDIR");
  expect(() => tree.rename("file", "member")).toThrow("EISDIR");
  expect(() => tree.remove("member")).toThrow("EISDIR");
  expect(() => tree.openFile("file", "write").write(-1, new Uint8Array(1))).toThrow(RangeError);
});
