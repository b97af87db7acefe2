/**
 * A separator in a branch that is greater than the first key below it: a cursor finds that key at the beginning of the
 * next leaf, while the way down leads past it. Deleting it took a TypeError out of the leaf before.
 */
import { expect, test } from "vitest";
import { CorruptionError } from "../../src/base/errors.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const bucket = Buffer.from("b");

test("a key that is found, but not under its separator, cannot be deleted, and nothing is committed", () => {
  const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
    const b = tx.createBucket(bucket);
    for (let i = 0; i < 100; i++) b.put(Buffer.from(`key-${i + 100}`), Buffer.alloc(20));
  });
  const root = surgery.rootOf("b");
  const second = surgery.leafKey(surgery.child(root, 1), 0);
  const key = Buffer.from(surgery.bytes.slice(second, second + 7));
  surgery.bytes[surgery.branchKey(root, 1) + 6] = 0x7a; // "key-1nz": above the leaf's first keys.

  const file = PageFile.open(surgery.file());
  const tx = file.beginWrite();
  expect(() => tx.bucket(bucket)?.delete(key)).toThrow(CorruptionError);
  expect(() => tx.commit()).toThrow(/rolled back/);
  file.update((next) => next.createBucket(Buffer.from("other")));
});
