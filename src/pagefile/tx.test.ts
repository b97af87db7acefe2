import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import { Surgery } from "../../test/support/page-file-surgery.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { viewOf } from "../base/bytes.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { readFreelistPage } from "./free-pages.ts";
import { Page } from "./page.ts";
import { PageFile } from "./page-file.ts";
import { encodeFreelistPage } from "./tx.ts";

const B = Buffer.from("bucket");
const K = Buffer.from("key");

function codeOf(work: () => unknown): string {
  try {
    work();
    return "done";
  } catch (error) {
    if (error instanceof StrataError) return error.code;
    throw error;
  }
}

test("a commit writes pages by ascending id, syncs, writes the meta T % 2, syncs", () => {
  const disk = new PowerCutDisk();
  const file = PageFile.open(disk.openFile("db", "create"), { freelistSync: true });
  const before = disk.events;
  file.update((tx) => tx.createBucket(B).put(K, new Uint8Array(5000)));
  const events = disk.log.slice(before).map((event) => event.kind);
  expect(events).toEqual(["write", "sync", "write", "sync"]);
  expect(disk.log.slice(before)).toMatchObject([
    { offsetBytes: 4 * 4096, bytes: 4 * 4096 }, // The bucket's two pages, the root, the free list.
    {},
    { offsetBytes: 0, bytes: 4096 }, // txid 2
    {},
  ]);
});

test("readers see the commit they began at, whatever is written, and their pages are not reused", () => {
  const file = PageFile.open(new MemoryFile(), { pageBytes: 1024, cacheBytes: 0 });
  const readers = [];
  for (let i = 0; i < 40; i++) {
    file.update((tx) => {
      const bucket = tx.createBucketIfNotExists(B);
      for (let k = 0; k < 20; k++) bucket.put(Buffer.from(`k${k}`), new Uint8Array(300).fill(i));
    });
    if (i % 4 === 0) readers.push({ tx: file.beginRead(), i });
  }
  expect(file.readers().size).toBe(readers.length);
  for (const { tx, i } of readers) {
    const cursor = tx.bucket(B)?.cursor();
    let keys = 0;
    for (let more = cursor?.first(); more; more = cursor?.next(), keys++) {
      expect(cursor?.value()?.every((byte) => byte === i)).toBe(true);
    }
    expect(keys).toBe(20);
    tx.close();
  }
  expect(file.readers().size).toBe(0);
  const { sizeBytes } = file.space();
  for (let i = 0; i < 40; i++) {
    file.update((tx) => tx.createBucketIfNotExists(B).put(K, new Uint8Array(300)));
  }
  expect(file.space().sizeBytes).toBe(sizeBytes);
  expect(file.check().faults).toEqual([]);
});

test("a rolled back transaction leaves nothing, on disk or in the free list", () => {
  const memory = new MemoryFile();
  const file = PageFile.open(memory, { pageBytes: 1024 });
  file.update((tx) => tx.createBucket(B).put(K, new Uint8Array(9000)));
  file.update((tx) => tx.bucket(B)?.delete(K));
  file.beginWrite().rollback(); // What was pending is free from here on.
  const before = memory.bytes.slice();
  const space = file.space();
  const thrown = new Error("change of mind");
  expect(() =>
    file.update((tx) => {
      tx.deleteBucket(B);
      tx.createBucket(K).put(K, new Uint8Array(4000));
      throw thrown;
    }),
  ).toThrow(thrown);
  expect(memory.bytes).toEqual(before);
  expect(file.space()).toEqual(space);
});

test("only one writer at a time, none on a file for reading, none after the end", () => {
  const memory = new MemoryFile();
  const file = PageFile.open(memory);
  const tx = file.beginWrite();
  expect(codeOf(() => file.beginWrite())).toBe("BAD_ARGUMENT");
  const bucket = tx.createBucket(B);
  tx.commit();
  for (const late of [
    () => tx.commit(),
    () => tx.createBucket(K),
    () => bucket.put(K, K),
    () => bucket.get(K),
    () => bucket.cursor(),
  ]) {
    expect(codeOf(late)).toBe("CLOSED");
  }
  tx.rollback();
  file.view((view) => expect(codeOf(() => view.bucket(B)?.put(K, K))).toBe("READ_ONLY"));
  const readOnly = PageFile.open(new MemoryFile(memory.bytes.slice()), { readOnly: true });
  expect(codeOf(() => readOnly.beginWrite())).toBe("READ_ONLY");
});

test("a transaction that met a damaged page refuses to commit, and the next one does not care", () => {
  const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
    const bucket = tx.createBucket(B);
    for (let i = 0; i < 100; i++) bucket.put(Buffer.from(`key-${i + 100}`), new Uint8Array(40));
  });
  const damaged = surgery.child(surgery.rootOf("bucket"), 2);
  const memory = surgery.file();
  const file = PageFile.open(memory);
  const space = file.space();
  memory.write(damaged * 1024 + 8, Uint8Array.of(0x7)); // After opening: its walk would refuse.
  const tx = file.beginWrite();
  const bucket = tx.bucket(B);
  bucket?.put(Buffer.from("key-100"), K);
  const key = Buffer.from(surgery.bytes.slice(surgery.leafKey(damaged, 0)).subarray(0, 7));
  expect(() => bucket?.put(key, K)).toThrow(CorruptionError);
  expect(codeOf(() => tx.commit())).toBe("FAILED");
  expect(file.space()).toEqual(space);
  file.update((next) => next.bucket(B)?.put(Buffer.from("key-100"), K));
  file.view((view) =>
    expect(view.bucket(B)?.get(Buffer.from("key-100"))).toEqual(Uint8Array.from(K)),
  );
});

test("a commit that meets a damaged page while it merges gives everything back", () => {
  const surgery = Surgery.of({ pageBytes: 1024, freelistSync: true }, (tx) => {
    const bucket = tx.createBucket(B);
    for (let i = 0; i < 100; i++) bucket.put(Buffer.from(`key-${i + 100}`), new Uint8Array(40));
  });
  const root = surgery.rootOf("bucket");
  const [damaged, emptied] = [surgery.child(root, 2), surgery.child(root, 3)];
  const keys = Array.from({ length: surgery.count(emptied) - 1 }, (_, i) => {
    const at = surgery.leafKey(emptied, i);
    return surgery.bytes.slice(at, at + 7);
  });
  const memory = surgery.file();
  const file = PageFile.open(memory, { freelistSync: true });
  memory.write(damaged * 1024 + 8, Uint8Array.of(0x7));
  file.beginWrite().rollback();
  const space = file.space();
  const tx = file.beginWrite();
  tx.createBucket(K).put(K, new Uint8Array(5000));
  for (const key of keys) expect(tx.bucket(B)?.delete(key)).toBe(true);
  expect(() => tx.commit()).toThrow(CorruptionError);
  expect(file.space()).toEqual(space);
  memory.write(damaged * 1024 + 8, Uint8Array.of(0x2));
  for (let i = 0; i < 3; i++) {
    file.update((next) => next.createBucketIfNotExists(K).put(K, new Uint8Array(5000)));
    expect(file.check().faults).toEqual([]);
  }
  file.view((view) => expect(view.bucket(B)?.get(keys[0] ?? K)).toHaveLength(40));
});

test.each([0, 1, 0xfffe, 0xffff, 0x10000])("a free list of %i ids reads back", (count) => {
  const ids = Array.from({ length: count }, (_, i) => i + 2);
  const bytes = encodeFreelistPage(ids, 7, 600 * 1024, 1024);
  const page = new Page(7, bytes, viewOf(bytes), 0, bytes.length);
  expect(page.count).toBe(Math.min(count, 0xffff));
  expect(readFreelistPage(page, "file", 1024)).toEqual(ids);
});

test("a free list of more ids than its header can count is stored, read and used", {
  timeout: 60_000,
}, () => {
  const memory = new MemoryFile();
  const file = PageFile.open(memory, { pageBytes: 1024, freelistSync: true });
  file.update((tx) => tx.createBucket(B).put(K, new Uint8Array(70_000 * 1024)));
  file.update((tx) => tx.deleteBucket(B));
  const copy = new MemoryFile(memory.bytes);
  const again = PageFile.open(copy, { freelistSync: true });
  expect(again.space().freeBytes).toBeGreaterThan(0xffff * 1024);
  expect(again.check().faults).toEqual([]);
  again.update((tx) => tx.createBucket(K).put(K, new Uint8Array(60_000 * 1024)));
  expect(again.check().faults).toEqual([]);
  expect(copy.size()).toBeLessThan(73_000 * 1024);
});
