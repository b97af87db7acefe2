/**
 * A transaction that empties more than 4096 leaves in a row, as a compaction of large values may: until it commits, the
 * empty leaves are there, and a cursor that had to pass them called the file corrupt.
 */
import { expect, test } from "vitest";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { MemoryFile } from "../support/memory-file.ts";

const name = Buffer.from("b");
const keyOf = (i: number): Buffer => Buffer.from(String(i).padStart(6, "0"));

test("a cursor passes thousands of leaves that the same transaction emptied", () => {
  const file = PageFile.open(new MemoryFile(), { pageBytes: 1024 });
  const keys = 10_000;
  file.update((tx) => {
    const b = tx.createBucket(name);
    for (let i = 0; i < keys; i++) b.put(keyOf(i), Buffer.alloc(460, 1)); // Two to a page.
  });
  file.update((tx) => {
    const b = tx.createBucketIfNotExists(name);
    for (let i = 1; i < keys - 1; i++) expect(b.delete(keyOf(i))).toBe(true);
    const cursor = b.cursor();
    expect(cursor.first() && cursor.next() && cursor.key()).toEqual(
      Uint8Array.from(keyOf(keys - 1)),
    );
    expect(cursor.prev() && cursor.key()).toEqual(Uint8Array.from(keyOf(0)));
    expect(cursor.seek(keyOf(1)) && cursor.key()).toEqual(Uint8Array.from(keyOf(keys - 1)));
  });
  expect(file.check().faults).toEqual([]);
});
