import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import type { Bucket } from "./bucket.ts";
import type { Cursor } from "./cursor.ts";
import { PageFile } from "./page-file.ts";
import type { ReadTx, WriteTx } from "./tx.ts";

const B = Buffer.from("bucket");
const keyOf = (i: number): Uint8Array => Buffer.from(String(i).padStart(4, "0"));
const VALUE = new Uint8Array(100);

/** Keys 0, 10, 20, … over many leaves. */
function fileOf(count: number): PageFile {
  const file = PageFile.open(new MemoryFile(), { pageBytes: 1024 });
  file.update((tx) => {
    const bucket = tx.createBucket(B);
    for (let i = 0; i < count; i++) bucket.put(keyOf(i * 10), VALUE);
  });
  return file;
}

function of(tx: ReadTx | WriteTx): Bucket {
  const bucket = tx.bucket(B);
  if (bucket === undefined) throw new Error("no bucket");
  return bucket;
}

const at = (cursor: Cursor): number | undefined =>
  cursor.valid ? Number(Buffer.from(cursor.key()).toString()) : undefined;

test("first, last, next, prev and seek", () => {
  fileOf(100).view((tx) => {
    const cursor = of(tx).cursor();
    expect([cursor.first(), at(cursor)]).toEqual([true, 0]);
    expect([cursor.prev(), at(cursor)]).toEqual([false, undefined]);
    expect(cursor.next()).toBe(false); // It stands nowhere, and stays there.
    expect([cursor.last(), at(cursor)]).toEqual([true, 990]);
    expect([cursor.next(), at(cursor)]).toEqual([false, undefined]);
    expect([cursor.seek(keyOf(500)), at(cursor)]).toEqual([true, 500]);
    expect([cursor.seek(keyOf(501)), at(cursor)]).toEqual([true, 510]);
    expect([cursor.prev(), at(cursor)]).toEqual([true, 500]);
    expect([cursor.seek(keyOf(991)), at(cursor)]).toEqual([false, undefined]);
    for (let i = 0; i < 100; i++) {
      expect([cursor.seek(keyOf(Math.max(i * 10 - 5, 0))), at(cursor)]).toEqual([true, i * 10]);
    }
  });
});

test("an empty bucket has no place for a cursor", () => {
  fileOf(0).view((tx) => {
    const cursor = of(tx).cursor();
    expect([cursor.first(), cursor.last(), cursor.seek(keyOf(1)), cursor.next()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

test("deleting the key under it does not stop a cursor, in either direction", () => {
  for (const move of ["next", "prev"] as const) {
    const file = fileOf(200);
    file.update((tx) => {
      const bucket = of(tx);
      const cursor = bucket.cursor();
      const seen: (number | undefined)[] = [];
      for (
        let more = move === "next" ? cursor.first() : cursor.last();
        more;
        more = cursor[move]()
      ) {
        seen.push(at(cursor));
        expect(bucket.delete(cursor.key())).toBe(true);
      }
      if (move === "prev") seen.reverse();
      expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i * 10));
      expect(cursor.first()).toBe(false);
    });
    expect(file.check().faults).toEqual([]);
    expect(file.view((tx) => of(tx).rootId)).toBe(0);
  }
});

test("puts before and after it are passed or met as the order says", () => {
  fileOf(50).update((tx) => {
    const bucket = of(tx);
    const cursor = bucket.cursor();
    cursor.seek(keyOf(200));
    bucket.put(keyOf(195), VALUE);
    bucket.put(keyOf(205), VALUE);
    expect([cursor.next(), at(cursor)]).toEqual([true, 205]);
    bucket.delete(keyOf(200));
    expect([cursor.prev(), at(cursor)]).toEqual([true, 195]);
    bucket.put(keyOf(9000), VALUE);
    for (let i = 0; i < 30; i++) cursor.next();
    expect(at(cursor)).toBe(490);
    expect([cursor.next(), at(cursor)]).toEqual([true, 9000]);
    bucket.delete(keyOf(9000));
    expect([cursor.prev(), at(cursor)]).toEqual([true, 490]);
  });
});

test("a bucket has a place, but no value", () => {
  const file = fileOf(3);
  file.update((tx) => of(tx).createBucket(keyOf(5)));
  file.view((tx) => {
    const cursor = of(tx).cursor();
    cursor.seek(keyOf(5));
    expect([cursor.isBucket, cursor.value()]).toEqual([true, undefined]);
    cursor.next();
    expect([cursor.isBucket, cursor.value()]).toEqual([false, VALUE]);
  });
});
