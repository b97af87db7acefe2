/**
 * A power cut while a new file was made left a few bytes, a hole or lost sectors behind, and no later start could open
 * it: the operator had to find out that nothing was in it and delete it by hand, as with bbolt, which refuses such a file
 * or crashes on it.
 */
import { expect, test } from "vitest";
import { CorruptionError } from "../../src/base/errors.ts";
import { emptyFileImage, PageFile } from "../../src/pagefile/page-file.ts";
import { MemoryFile } from "../support/memory-file.ts";
import { SECTOR_BYTES } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const PAGE_BYTES = 4096;

function opens(left: Uint8Array): void {
  const disk = new MemoryFile(left.slice());
  const file = PageFile.open(disk, { pageBytes: PAGE_BYTES });
  expect(Buffer.compare(disk.bytes, emptyFileImage(PAGE_BYTES))).toBe(0);
  file.update((tx) => tx.createBucket(Buffer.from("a")));
  expect(file.check().faults).toEqual([]);
}

test("a new file that was cut short is made anew", () => {
  const whole = emptyFileImage(PAGE_BYTES);
  for (const size of [1, 15, 80, 511, 1064, 4096, 4100, 8192, 12_288, 16_383, 16_384]) {
    opens(whole.subarray(0, size));
  }
});

test("a new file whose sectors were lost is made anew", () => {
  const random = rng(1);
  for (let tries = 0; tries < 50; tries++) {
    const left = emptyFileImage(PAGE_BYTES);
    for (let at = 0; at < left.length; at += SECTOR_BYTES) {
      if (random.bool()) left.fill(0, at, at + SECTOR_BYTES);
    }
    opens(left);
  }
});

test("a file in which something may have been committed is never made anew", () => {
  const used = new MemoryFile();
  PageFile.open(used, { pageBytes: PAGE_BYTES }).update((tx) => tx.createBucket(Buffer.from("a")));
  const foreign = emptyFileImage(PAGE_BYTES).fill(1, 100, 101);
  const refused = [
    used.bytes.slice(0, 2 * PAGE_BYTES), // Cut short by hand, and nothing behind the metas.
    new Uint8Array(4 * PAGE_BYTES + 1), // Longer than any new file.
    foreign.fill(0, 0, 80).fill(0, PAGE_BYTES, PAGE_BYTES + 80),
  ];
  for (const bytes of refused) {
    const disk = new MemoryFile(bytes.slice());
    expect(() => PageFile.open(disk, { pageBytes: PAGE_BYTES })).toThrow(CorruptionError);
    expect(disk.bytes).toEqual(bytes);
  }
});

test("a torn new file that is opened for reading stays as it is", () => {
  const disk = new MemoryFile(emptyFileImage(PAGE_BYTES).subarray(0, 100).slice());
  expect(() => PageFile.open(disk, { readOnly: true })).toThrow(CorruptionError);
  expect(disk.size()).toBe(100);
});
