/**
 * bbolt has left branches without children behind, and reads them as empty. A merge with one as its left neighbour, at
 * another depth, kept it as an empty leaf under an empty key, and the branch above was out of order.
 */
import { expect, test } from "vitest";
import { BRANCH } from "../../src/pagefile/page.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { contentOf } from "../support/page-file-content.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const name = Buffer.from("b");
const keyOf = (i: number): Buffer => Buffer.from(`key-${String(i).padStart(5, "0")}`);

/** A tree of three levels, one of whose branches, or leaves, was emptied. */
function withEmpty(levels: 2 | 3, position: number, flags: number | undefined): Surgery {
  const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
    const b = tx.createBucket(name);
    for (let i = 0; i < (levels === 3 ? 2000 : 60); i++) b.put(keyOf(i), Buffer.alloc(40));
  });
  const child = surgery.child(surgery.rootOf("b"), position);
  surgery.setU16(surgery.at(child, 10), 0);
  if (flags !== undefined) surgery.setU16(surgery.at(child, 8), flags);
  return surgery;
}

test.each([
  ["a branch among branches", 3, 1, undefined],
  ["a branch among leaves", 2, 1, BRANCH],
  ["a leaf among leaves", 2, 1, undefined],
  ["the first branch", 3, 0, undefined],
] as const)("%s, without children, leaves the tree in order", (_, levels, position, flags) => {
  const surgery = withEmpty(levels, position, flags);
  const start = PageFile.open(surgery.file());
  expect(start.check().faults).toEqual([]);
  const keys = start.view((tx) => {
    const found: Uint8Array[] = [];
    const cursor = tx.bucket(name)?.cursor();
    for (let more = cursor?.first(); more; more = cursor?.next()) {
      if (cursor !== undefined) found.push(cursor.key().slice());
    }
    return found;
  });
  expect(keys.length).toBeGreaterThan(20);
  for (let from = 0; from < keys.length; from += Math.ceil(keys.length / 20)) {
    for (const many of [1, 9, 40, keys.length]) {
      const file = PageFile.open(surgery.file());
      file.update((tx) => {
        const b = tx.createBucketIfNotExists(name);
        for (const key of keys.slice(from, from + many)) expect(b.delete(key)).toBe(true);
      });
      expect(file.check().faults).toEqual([]);
      const left = file.view(contentOf).entries.get("b");
      expect(left).toMatchObject({
        entries: { size: keys.length - Math.min(many, keys.length - from) },
      });
    }
  }
});
