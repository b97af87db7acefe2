/**
 * A leaf whose elements all lie over the same bytes: 150 KiB that a reader saw as 300 MiB, and that the first put wrote
 * out as such. No writer makes one; now such a page is a fault.
 */
import { expect, test } from "vitest";
import { CorruptionError } from "../../src/base/errors.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const name = Buffer.from("b");
const ELEMENTS = 4000;

test("elements that share their bytes are a fault", () => {
  const surgery = Surgery.of({}, (tx) => {
    tx.createBucket(name).put(Buffer.from("k"), Buffer.alloc(150_000));
  });
  const root = surgery.rootOf("b");
  surgery.setU16(surgery.at(root, 10), ELEMENTS);
  for (let i = 0; i < ELEMENTS; i++) {
    const key = surgery.at(root, 16 + 16 * ELEMENTS + 4 * i);
    surgery.bytes.set([i >> 8, i & 0xff, 1, 1], key);
    surgery.setU32(surgery.element(root, i), 0);
    surgery.setU32(surgery.element(root, i) + 4, key - surgery.element(root, i));
    surgery.setU32(surgery.element(root, i) + 8, 4);
    surgery.setU32(surgery.element(root, i) + 12, 70_000);
  }
  expect(surgery.faults()).toEqual([
    expect.stringMatching(`page ${root}: its ${ELEMENTS} elements take .* bytes of a page of`),
  ]);
  expect(() => PageFile.open(surgery.file())).toThrow(CorruptionError);
});
