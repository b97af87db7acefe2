/**
 * Chains of branches inside chains of buckets: each within its limit, but together deep enough to overflow the stack
 * of the walk, and of the deletion, with a file of some megabytes.
 */
import { expect, test } from "vitest";
import { CorruptionError } from "../../src/base/errors.ts";
import { PATH_PAGES_MAX } from "../../src/base/limits.ts";
import { BRANCH, LEAF } from "../../src/pagefile/page.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { Surgery } from "../support/page-file-surgery.ts";

const PAGE_BYTES = 1024;
const A = 0x61;

/** A page of one element "a". */
function pageOfOne(surgery: Surgery, page: number, flags: number): void {
  surgery.setU64(surgery.at(page), page);
  surgery.setU16(surgery.at(page, 8), flags);
  surgery.setU16(surgery.at(page, 10), 1);
  surgery.bytes[surgery.at(page, 32)] = A;
}

function branchTo(surgery: Surgery, page: number, child: number): void {
  pageOfOne(surgery, page, BRANCH);
  surgery.setU32(surgery.element(page, 0), 16);
  surgery.setU32(surgery.element(page, 0) + 4, 1);
  surgery.setU64(surgery.element(page, 0) + 8, child);
}

function bucketAt(surgery: Surgery, page: number, root: number): void {
  pageOfOne(surgery, page, LEAF);
  surgery.setU32(surgery.element(page, 0), 1);
  surgery.setU32(surgery.element(page, 0) + 4, 16);
  surgery.setU32(surgery.element(page, 0) + 8, 1);
  surgery.setU32(surgery.element(page, 0) + 12, 16);
  surgery.setU64(surgery.at(page, 33), root);
}

/** Buckets inside each other, each a chain of `levels` pages; an empty leaf at the end. The list of page 2 is stored. */
function deepFile(buckets: number, levels: number): Surgery {
  const surgery = Surgery.of({ pageBytes: PAGE_BYTES });
  const last = 4 + buckets * levels;
  const larger = new Uint8Array((last + 1) * PAGE_BYTES);
  larger.set(surgery.bytes);
  larger.copyWithin(last * PAGE_BYTES, 3 * PAGE_BYTES, 4 * PAGE_BYTES);
  surgery.bytes = larger;
  surgery.setU64(surgery.at(last), last);
  surgery.setU16(surgery.at(2, 10), 1); // Page 3, the root that was.
  surgery.setU64(surgery.at(2, 16), 3);
  surgery.setMeta({ root: 4, pgid: last + 1 });
  for (let page = 4; page < last; page++) {
    const isLeaf = (page - 3) % levels === 0;
    if (isLeaf) bucketAt(surgery, page, page + 1);
    else branchTo(surgery, page, page + 1);
  }
  return surgery;
}

test("a path of many pages is walked, and deleted", () => {
  for (const [buckets, levels] of [
    [250, 4],
    [16, 60],
  ] as const) {
    const surgery = deepFile(buckets, levels);
    expect(surgery.faults()).toEqual([]);
    const file = PageFile.open(surgery.file());
    file.update((tx) => tx.deleteBucket(Uint8Array.of(A)));
    expect(file.check().faults).toEqual([]);
  }
});

test("a path that no writer makes is a fault, and cannot be deleted", () => {
  const surgery = deepFile(250, 60);
  const [first = ""] = surgery.faults();
  expect(first).toContain(`deeper than ${PATH_PAGES_MAX} pages`);
  const file = PageFile.open(surgery.file());
  const remove = (): void => file.update((tx) => tx.deleteBucket(Uint8Array.of(A)));
  expect(remove).toThrow(CorruptionError);
  surgery.setMeta({ freelist: undefined });
  expect(() => PageFile.open(surgery.file())).toThrow(CorruptionError);
});
