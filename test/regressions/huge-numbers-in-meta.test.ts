/**
 * Numbers in a meta that no file can have, under a checksum that is right. At a txid of 2^53 and more the next
 * transaction's was the same or overflowed: a commit returned, and the next start did not find it. At a high-water mark
 * that no disk holds, page ids gave offsets that `node:fs` refuses with a RangeError, and the set of reached pages grew
 * without bound.
 */
import { expect, test } from "vitest";
import { CorruptionError, StrataError } from "../../src/base/errors.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const name = Buffer.from("b");

function someFile(): Surgery {
  return Surgery.of({ pageBytes: 1024 }, (tx) => {
    const b = tx.createBucket(name);
    for (let i = 0; i < 100; i++) b.put(Buffer.from(`key-${i + 100}`), Buffer.alloc(20));
  });
}

test.each([2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 2048])(
  "a meta of txid %d is not valid: the other one is in force",
  (txid) => {
    const surgery = someFile();
    surgery.setMeta({ txid });
    const memory = surgery.file();
    const file = PageFile.open(memory);
    expect(file.meta.txid).toBe(1);
    file.update((tx) => tx.createBucket(name));
    expect(PageFile.open(memory).view((tx) => tx.bucket(name))).toBeDefined();
  },
);

test.each([2 ** 44, 2 ** 53, 2 ** 63])("nor is a meta with %d pages in use", (pgid) => {
  const surgery = someFile();
  surgery.setMeta({ pgid });
  expect(PageFile.open(surgery.file()).meta.txid).toBe(1);
});

test("a page id far behind the file's end, below a high-water mark as far, is a fault like any other", () => {
  const surgery = someFile();
  const root = surgery.rootOf("b");
  surgery.setMeta({ pgid: 2 ** 42 });
  surgery.setU64(surgery.element(root, 1) + 8, 2 ** 41);
  surgery.setU64(surgery.element(root, 2) + 8, 2 ** 41);
  const file = PageFile.open(surgery.file(), { readOnly: true });
  expect(file.check().faultCount).toBe(3);
  expect(() =>
    file.view((tx) => {
      const cursor = tx.bucket(name)?.cursor();
      for (let more = cursor?.first(); more; more = cursor?.next());
    }),
  ).toThrow(CorruptionError);
  expect(() => PageFile.open(surgery.file())).toThrow(StrataError);
});
