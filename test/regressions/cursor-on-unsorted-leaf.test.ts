/**
 * A leaf whose keys do not ascend, and a loop that changes something while it walks it: each step sought the key it
 * stood on, came out before it, and the loop never ended.
 */
import { expect, test } from "vitest";
import { CorruptionError } from "../../src/base/errors.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const name = Buffer.from("b");

test("a walk over unsorted keys ends while the bucket changes", () => {
  const surgery = Surgery.of({}, (tx) => {
    const b = tx.createBucket(name);
    for (const key of ["a", "b"]) b.put(Buffer.from(key), Buffer.alloc(600));
  });
  const root = surgery.rootOf("b");
  surgery.bytes[surgery.leafKey(root, 0)] = 0x62;
  surgery.bytes[surgery.leafKey(root, 1)] = 0x61;
  const tx = PageFile.open(surgery.file()).beginWrite();
  const other = tx.createBucket(Buffer.from("other"));
  const cursor = tx.createBucketIfNotExists(name).cursor();
  let steps = 0;
  expect(() => {
    for (let more = cursor.first(); more; more = cursor.next()) {
      steps++;
      if (steps > 1000) throw new Error("the walk does not end");
      other.put(name, Buffer.of(steps & 0xff));
    }
  }).toThrow(CorruptionError);
});
