import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { emptyFileImage, PageFile } from "./page-file.ts";

const B = Buffer.from("bucket");
const K = Buffer.from("key");

test("a new file is bbolt's, byte for byte", () => {
  const memory = new MemoryFile();
  PageFile.open(memory);
  const expected = new Uint8Array(16_384);
  const put = (at: number, hex: string): void => expected.set(Buffer.from(hex, "hex"), at);
  const u64 = (n: number): string => `0${n}00000000000000`;
  for (const [page, sum] of [
    [0, "eefd8946116e5107"],
    [1, "0f4879511a354c26"],
  ] as const) {
    put(page * 4096, `${u64(page)}0400000000000000`);
    put(page * 4096 + 16, "edda0ced" + "02000000" + "00100000" + "00000000");
    put(page * 4096 + 32, u64(3) + u64(0) + u64(2) + u64(4) + u64(page) + sum);
  }
  put(2 * 4096, `${u64(2)}1000000000000000`);
  put(3 * 4096, `${u64(3)}0200000000000000`);
  expect(Buffer.from(memory.bytes).equals(expected)).toBe(true);
});

test.each([512, 3000, 131_072, 0, -1024])(
  "a page size of %i is refused, and nothing is made",
  (pageBytes) => {
    const memory = new MemoryFile();
    expect(() => PageFile.open(memory, { pageBytes })).toThrow(StrataError);
    expect(memory.size()).toBe(0);
  },
);

test("an existing file keeps its page size, whatever is asked for", () => {
  const memory = new MemoryFile(emptyFileImage(1024));
  expect(PageFile.open(memory, { pageBytes: 4096 }).pageBytes).toBe(1024);
});

test("each meta that is broken leaves the other one in force", () => {
  const memory = new MemoryFile();
  const file = PageFile.open(memory);
  for (const value of ["one", "two"]) {
    file.update((tx) => tx.createBucketIfNotExists(B).put(K, Buffer.from(value)));
  }
  for (const [page, expected] of [
    [0, "two"], // txid 3 stands on page 1
    [1, "one"],
  ] as const) {
    const bytes = memory.bytes.slice();
    bytes.fill(0xff, page * 4096, page * 4096 + 100);
    const left = PageFile.open(new MemoryFile(bytes));
    expect(left.view((tx) => Buffer.from(tx.bucket(B)?.get(K) ?? []).toString())).toBe(expected);
    left.update((tx) => tx.bucket(B)?.put(K, Buffer.from("three")));
    expect(left.check().faults).toEqual([]);
  }
});

test("a file that is shorter than its pages in use is not opened for writing", () => {
  const memory = new MemoryFile();
  PageFile.open(memory).update((tx) => tx.createBucket(B).put(K, new Uint8Array(20_000)));
  const cut = memory.bytes.slice(0, memory.size() - 4096);
  expect(() => PageFile.open(new MemoryFile(cut))).toThrow(CorruptionError);
  const readOnly = PageFile.open(new MemoryFile(cut), { readOnly: true });
  expect(readOnly.check().faultCount).toBeGreaterThan(0);
});

test("bytes behind the pages in use are ignored", () => {
  const memory = new MemoryFile();
  PageFile.open(memory).update((tx) => tx.createBucket(B).put(K, K));
  const longer = new Uint8Array(memory.size() + 32).fill(7);
  longer.set(memory.bytes);
  const file = PageFile.open(new MemoryFile(longer));
  file.update((tx) => tx.bucket(B)?.put(K, new Uint8Array(9000)));
  expect(file.check().faults).toEqual([]);
});

test("the free list is stored at once when a file without one is opened so", () => {
  const memory = new MemoryFile();
  PageFile.open(memory).update((tx) => tx.createBucket(B));
  const file = PageFile.open(memory, { freelistSync: true });
  expect(file.meta).toMatchObject({ txid: 3, freelist: expect.any(Number) });
  expect(file.check().faults).toEqual([]);
  expect(PageFile.open(memory).meta.freelist).toBeDefined();
});

test("closing rolls an open transaction back, and is the end", () => {
  const memory = new MemoryFile();
  const file = PageFile.open(memory);
  const tx = file.beginWrite();
  tx.createBucket(B);
  file.close();
  file.close();
  expect(() => tx.commit()).toThrow(/over/);
  expect(() => file.beginWrite()).toThrow(/closed/);
  const again = PageFile.open(new MemoryFile(memory.bytes));
  expect(again.view((view) => view.bucket(B))).toBeUndefined();
});
