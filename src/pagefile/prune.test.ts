import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import { Surgery } from "../../test/support/page-file-surgery.ts";
import { readU32BE, viewOf, writeU64BE } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import type { Bucket } from "./bucket.ts";
import { PageFile } from "./page-file.ts";
import type { Sieve, Verdict } from "./prune.ts";
import type { ReadTx, WriteTx } from "./tx.ts";

const B = Buffer.from("bucket");
const KEYS = 5000;
const FROM_START = new Uint8Array(0);

function keyOf(i: number): Uint8Array {
  const key = new Uint8Array(8);
  writeU64BE(viewOf(key), 0, i);
  return key;
}

/** A file of 5,000 keys of 100 bytes in full pages: some 130 leaves. */
function filled(): PageFile {
  const file = PageFile.open(new MemoryFile(), { pageBytes: 4096 });
  file.update((tx) => {
    const bucket = tx.createBucket(B);
    bucket.fillPercent = 1;
    for (let i = 0; i < KEYS; i++) bucket.put(keyOf(i), new Uint8Array(92).fill(i));
  });
  return file;
}

function of(tx: ReadTx | WriteTx): Bucket {
  const bucket = tx.bucket(B);
  if (bucket === undefined) throw new Error("no bucket");
  return bucket;
}

function sieve(judge: (i: number) => Verdict, isEnough = (): boolean => false): Sieve {
  return { judge: (_, view, keyOffset) => judge(readU32BE(view, keyOffset + 4)), isEnough };
}

function left(file: PageFile): number[] {
  return file.view((tx) => {
    const cursor = of(tx).cursor();
    const keys: number[] = [];
    for (let more = cursor.first(); more; more = cursor.next()) {
      const i = readU32BE(viewOf(cursor.key()), 4);
      expect(cursor.value()).toEqual(new Uint8Array(92).fill(i));
      keys.push(i);
    }
    return keys;
  });
}

/** Keys from 0 on for which it holds. */
function those(holds: (i: number) => boolean): number[] {
  return Array.from({ length: KEYS }, (_, i) => i).filter(holds);
}

/** Pages that the commit wrote. */
function prune(file: PageFile, from: Uint8Array, by: Sieve): number {
  const tx = file.beginWrite();
  const bucket = of(tx);
  bucket.fillPercent = 1;
  bucket.prune(from, by);
  tx.commit();
  expect(file.check().faults).toEqual([]);
  return tx.writtenPages().length;
}

test("of a bucket that loses everything nothing is left but an empty leaf", () => {
  const file = filled();
  prune(
    file,
    FROM_START,
    sieve(() => "goes"),
  );
  expect(left(file)).toEqual([]);
  expect(file.check().pagesInUse).toBeLessThan(6);
});

test("a bucket that lost everything is put to in the same transaction", () => {
  const file = filled();
  file.update((tx) => {
    const bucket = of(tx);
    expect(
      bucket.prune(
        FROM_START,
        sieve(() => "goes"),
      ),
    ).toBe(KEYS);
    expect(bucket.get(keyOf(7))).toBeUndefined();
    bucket.put(keyOf(7), new Uint8Array(92).fill(7));
  });
  expect(left(file)).toEqual([7]);
  expect(file.check().faults).toEqual([]);
});

test("what stays of many leaves is packed into few, and they are full", () => {
  const file = filled();
  const before = file.check().pagesInUse;
  prune(
    file,
    FROM_START,
    sieve((i) => (i % 10 === 0 ? "stays" : "goes")),
  );
  expect(left(file)).toEqual(those((i) => i % 10 === 0));
  expect(file.check().pagesInUse).toBeLessThan(before / 7);
});

test("leaves that lose nothing are not written, nor are the branches above them", () => {
  const file = filled();
  const written = prune(
    file,
    FROM_START,
    sieve((i) => (i === 2500 ? "goes" : "stays")),
  );
  expect(left(file)).toEqual(those((i) => i !== 2500));
  // Leaf, branch, root of the bucket, root of the file.
  expect(written).toBeLessThanOrEqual(4);
});

test("keys before the first and after the last that is asked about stay", () => {
  const file = filled();
  prune(
    file,
    keyOf(1234),
    sieve((i) => (i < 4321 ? "goes" : "stop")),
  );
  expect(left(file)).toEqual(those((i) => i < 1234 || i >= 4321));
});

test("a pruning that has enough ends after a leaf, and goes on from there later", () => {
  const file = filled();
  let next = 0;
  for (let rounds = 0; next < KEYS && rounds < KEYS; rounds++) {
    let leaves = 0;
    const before = next;
    const judge = (i: number): Verdict => {
      expect(i).toBe(next++);
      return i % 3 === 0 ? "stays" : "goes";
    };
    prune(
      file,
      keyOf(next),
      sieve(judge, () => ++leaves === 7),
    );
    expect(next).toBeGreaterThan(before);
  }
  expect(left(file)).toEqual(those((i) => i % 3 === 0));
});

test("a bucket that has changed in the transaction is not pruned, unless it is a leaf", () => {
  const file = filled();
  const tx = file.beginWrite();
  of(tx).put(keyOf(KEYS), new Uint8Array(0));
  expect(() =>
    of(tx).prune(
      FROM_START,
      sieve(() => "goes"),
    ),
  ).toThrow(/nothing was written/);
  tx.rollback();
  expect(left(file)).toHaveLength(KEYS);
});

test.each([
  ["leads out of the file", 0xffff_ffff],
  ["leads to a meta page", 1],
])("a branch that %s is an error, and only rollback is left", (_, child) => {
  const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
    const bucket = tx.createBucket(B);
    for (let i = 0; i < 200; i++) bucket.put(keyOf(i), new Uint8Array(92).fill(i));
  });
  const memory = surgery.file();
  const file = PageFile.open(memory);
  // Opened: the walk for free pages found nothing wrong.
  const changed = Buffer.alloc(8);
  changed.writeUInt32LE(child);
  memory.write(surgery.element(surgery.rootOf("bucket"), 1) + 8, changed);
  const tx = file.beginWrite();
  expect(() =>
    of(tx).prune(
      FROM_START,
      sieve(() => "goes"),
    ),
  ).toThrow(CorruptionError);
  expect(() => tx.commit()).toThrow(/rolled back/);
  expect(file.space().pendingBytes).toBe(0);
});
