/**
 * A bucket with a damaged bucket inside: deleting it freed some of its pages, then failed. A caller who caught that
 * error and committed left live pages in the free list, and the next transactions wrote over them.
 */
import { expect, test } from "vitest";
import { CorruptionError, StrataError } from "../../src/base/errors.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const outer = Buffer.from("outer");

test("a delete that failed half way leaves nothing but rollback", () => {
  const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
    const b = tx.createBucket(outer);
    for (let i = 0; i < 100; i++) b.put(Buffer.from(`key-${i + 100}`), Buffer.alloc(20));
    b.createBucket(Buffer.from("z-inner")).put(Buffer.from("k"), Buffer.from("v"));
  });
  const root = surgery.rootOf("outer");
  const leaf = surgery.child(root, surgery.count(root) - 1);
  const value = surgery.leafKey(leaf, surgery.count(leaf) - 1) + "z-inner".length;
  const file = PageFile.open(surgery.file(), { freelistSync: true });
  file.close();

  // Damage that comes after opening, so that it is met in the middle of the work.
  const memory = surgery.file();
  const live = PageFile.open(memory);
  memory.write(value + 16 + 8, Uint8Array.of(0x10)); // The inline page now says that it is a free list.
  const tx = live.beginWrite();
  expect(() => tx.deleteBucket(outer)).toThrow(CorruptionError);
  expect(() => tx.commit()).toThrow(StrataError);
  expect(live.space().pendingBytes).toBe(0);
  expect(live.space().freeBytes).toBe(PageFile.open(surgery.file()).space().freeBytes);
});
