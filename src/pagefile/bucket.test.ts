import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import { Surgery } from "../../test/support/page-file-surgery.ts";
import { StrataError } from "../base/errors.ts";
import type { Bucket } from "./bucket.ts";
import { PageFile } from "./page-file.ts";
import type { ReadTx, WriteTx } from "./tx.ts";

const b = (text: string): Uint8Array => Buffer.from(text);
const B = b("bucket");

function fileWith(change: (bucket: Bucket, tx: WriteTx) => void, pageBytes = 4096): PageFile {
  const file = PageFile.open(new MemoryFile(), { pageBytes });
  file.update((tx) => change(tx.createBucket(B), tx));
  return file;
}

function of(tx: ReadTx | WriteTx): Bucket {
  const bucket = tx.bucket(B);
  if (bucket === undefined) throw new Error("no bucket");
  return bucket;
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return "done";
  } catch (error) {
    if (error instanceof StrataError) return error.code;
    throw error;
  }
}

// 16 bytes of page header, 16 of element, a key of 1: what is left of 1024 is the value.
test.each([
  [4096, 1024 - 33, true],
  [4096, 1025 - 33, false],
  [1024, 256 - 33, true],
  [1024, 257 - 33, false],
])(
  "pages of %i: a bucket with one value of %i bytes is inline: %s",
  (pageBytes, valueBytes, inline) => {
    const file = fileWith((bucket) => bucket.put(b("k"), new Uint8Array(valueBytes)), pageBytes);
    file.view((tx) => {
      expect(of(tx).rootId === 0).toBe(inline);
      expect(of(tx).get(b("k"))?.length).toBe(valueBytes);
    });
  },
);

test("a bucket moves between inline and paged, and its sequence with it", () => {
  const file = fileWith((bucket) => bucket.setSequence(2n ** 64n - 1n));
  const inline = (): boolean => file.view((tx) => of(tx).rootId === 0);
  expect(inline()).toBe(true);
  file.update((tx) => of(tx).put(b("k"), new Uint8Array(2000)));
  expect(inline()).toBe(false);
  file.update((tx) => of(tx).delete(b("k")));
  expect(inline()).toBe(true);
  file.update((tx) => of(tx).createBucket(b("inner")));
  expect(inline()).toBe(false);
  expect(file.view((tx) => of(tx).sequence)).toBe(2n ** 64n - 1n);
  file.update((tx) => expect(of(tx).nextSequence()).toBe(0n));
  expect(file.view((tx) => of(tx).sequence)).toBe(0n);
  expect(file.check().faults).toEqual([]);
});

test("keys have 1 to 32768 bytes, names too, sequences 64 bits", () => {
  const file = fileWith((bucket) => {
    const none = new Uint8Array(0);
    const longest = new Uint8Array(32_768).fill(1);
    const tooLong = new Uint8Array(32_769).fill(1);
    for (const key of [none, tooLong]) {
      expect(codeOf(() => bucket.put(key, none))).toBe("BAD_ARGUMENT");
      expect(codeOf(() => bucket.createBucket(key))).toBe("BAD_ARGUMENT");
      expect(bucket.get(key)).toBeUndefined();
      expect(bucket.delete(key)).toBe(false);
    }
    bucket.put(longest, none);
    expect(codeOf(() => bucket.setSequence(-1n))).toBe("BAD_ARGUMENT");
    expect(codeOf(() => bucket.setSequence(2n ** 64n))).toBe("BAD_ARGUMENT");
  });
  file.view((tx) => expect(of(tx).get(new Uint8Array(32_768).fill(1))).toHaveLength(0));
  expect(file.check().faults).toEqual([]);
});

test("a value and a bucket do not stand in for each other", () => {
  const file = fileWith((bucket) => {
    bucket.put(b("value"), b("v"));
    bucket.createBucket(b("inner"));
    expect(codeOf(() => bucket.createBucket(b("value")))).toBe("INCOMPATIBLE");
    expect(codeOf(() => bucket.createBucket(b("inner")))).toBe("EXISTS");
    expect(codeOf(() => bucket.deleteBucket(b("value")))).toBe("INCOMPATIBLE");
    expect(codeOf(() => bucket.deleteBucket(b("none")))).toBe("NOT_FOUND");
    expect(codeOf(() => bucket.put(b("inner"), b("v")))).toBe("INCOMPATIBLE");
    expect(codeOf(() => bucket.delete(b("inner")))).toBe("INCOMPATIBLE");
    expect(bucket.bucket(b("value"))).toBeUndefined();
    expect(bucket.get(b("inner"))).toBeUndefined();
  });
  file.view((tx) => expect(of(tx).bucket(b("inner"))).toBeDefined());
});

test("deleteBucket frees every page, of the buckets inside as well", () => {
  const file = PageFile.open(new MemoryFile(), { pageBytes: 1024 });
  file.update((tx) => tx.createBucket(b("other")).put(b("k"), new Uint8Array(5000)));
  const before = file.check().pagesInUse;
  file.update((tx) => {
    const outer = tx.createBucket(B);
    for (let i = 0; i < 300; i++) outer.put(b(`key-${i}`), new Uint8Array(i * 10));
    const inner = outer.createBucket(b("inner"));
    for (let i = 0; i < 300; i++) inner.put(b(`key-${i}`), new Uint8Array(40));
    inner.createBucket(b("inmost")).put(b("big"), new Uint8Array(100_000));
  });
  expect(file.check().pagesInUse).toBeGreaterThan(before + 300);
  file.update((tx) => {
    const outer = of(tx);
    const inner = outer.bucket(b("inner"));
    inner?.put(b("changed"), new Uint8Array(3000));
    tx.deleteBucket(B);
    expect(tx.bucket(B)).toBeUndefined();
    for (const gone of [outer, inner]) expect(codeOf(() => gone?.get(b("k")))).toBe("CLOSED");
  });
  expect(file.check()).toMatchObject({ faults: [], pagesInUse: before });
});

test("a deleted bucket can be made again in the same transaction", () => {
  const file = fileWith((bucket) => bucket.put(b("old"), new Uint8Array(9000)));
  file.update((tx) => {
    tx.deleteBucket(B);
    tx.createBucket(B).put(b("new"), b("v"));
  });
  file.view((tx) => {
    expect(of(tx).get(b("old"))).toBeUndefined();
    expect(of(tx).get(b("new"))).toEqual(Uint8Array.from(b("v")));
  });
  expect(file.check().faults).toEqual([]);
});

test("what is put is copied, and what is got stays as it was", () => {
  const key = Buffer.from("key");
  const value = Buffer.from("value");
  const file = fileWith((bucket) => {
    bucket.put(key, value);
    key.fill(0);
    value.fill(0);
    expect(bucket.get(b("key"))).toEqual(Uint8Array.from(b("value")));
  });
  const held = file.view((tx) => of(tx).get(b("key")));
  file.update((tx) => of(tx).put(b("key"), b("other")));
  expect(held).toEqual(Uint8Array.from(b("value")));
});

test("views from a large transaction stay as they were, though the next ones use its memory again", () => {
  const fill = (tx: WriteTx, byte: number): void => {
    for (let i = 0; i < 3000; i++)
      of(tx).put(b(`key-${i + 1000}`), new Uint8Array(1000).fill(byte));
  };
  for (const look of [
    (bucket: Bucket): Uint8Array | undefined => bucket.get(b("key-3000")),
    (bucket: Bucket): Uint8Array | undefined => {
      const cursor = bucket.cursor();
      return cursor.seek(b("key-3000")) ? cursor.value() : undefined;
    },
    (): undefined => undefined,
  ]) {
    const file = fileWith(() => undefined);
    let held: Uint8Array | undefined;
    file.update((tx) => {
      fill(tx, 1);
      held = look(of(tx));
    });
    const reader = file.beginRead();
    const abandoned = file.beginWrite();
    fill(abandoned, 2);
    abandoned.rollback();
    for (const byte of [3, 4, 5]) file.update((tx) => fill(tx, byte));
    if (held !== undefined) expect(held.every((byte) => byte === 1)).toBe(true);
    for (const [tx, byte] of [
      [reader, 1],
      [file.beginRead(), 5],
    ] as const) {
      const cursor = of(tx).cursor();
      let keys = 0;
      for (let more = cursor.first(); more; more = cursor.next(), keys++) {
        if (cursor.value()?.some((found) => found !== byte)) throw new Error(`key ${keys} changed`);
      }
      expect(keys).toBe(3000);
    }
  }
});

const INLINE_VALUE = Buffer.alloc(40, "v");

test.each([
  ["get", (bucket: Bucket) => bucket.get(b("k"))],
  [
    "a cursor",
    (bucket: Bucket) => {
      const cursor = bucket.cursor();
      return cursor.first() ? cursor.value() : undefined;
    },
  ],
] as const)(
  "a view that %s gave of an inline bucket in a page that is written anew stays as it was",
  (_, look) => {
    const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
      const outer = tx.createBucket(b("outer"));
      for (let i = 0; i < 200; i++) outer.put(b(`key-${i + 1000}`), Buffer.alloc(60, i));
      outer.createBucket(b("key-1100-inline")).put(b("k"), INLINE_VALUE);
    });
    const file = PageFile.open(surgery.file());
    let held: Uint8Array | undefined;
    file.update((tx) => {
      const outer = tx.bucket(b("outer")) as Bucket;
      outer.put(b("key-1100"), b("v")); // Reads the page of the inline bucket, to write it anew.
      held = look(outer.bucket(b("key-1100-inline")) as Bucket);
    });
    expect(held).toEqual(Uint8Array.from(INLINE_VALUE));
    file.update((tx) => {
      for (let i = 0; i < 200; i += 10) {
        tx.bucket(b("outer"))?.put(b(`key-${i + 1000}`), Buffer.alloc(60, 0xee));
      }
    });
    expect(held).toEqual(Uint8Array.from(INLINE_VALUE));
  },
);
