import { describe, expect, test } from "vitest";
import type { RandomAccessFile } from "../../native-free/file.ts";
import { SystemFile } from "../../native-free/file.ts";
import { goldenFiles, goldenPath } from "../../test/support/golden.ts";
import { appendTo, ModelBucket, SHAPES, workOn } from "../../test/support/page-file-model.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { rng } from "../../test/support/rng.ts";
import { latin1, utf8, viewOf, writeU64 } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import type { Bucket } from "./bucket.ts";
import { PageFile } from "./page-file.ts";
import { scanBucket } from "./scan.ts";
import type { ReadTx, WriteTx } from "./tx.ts";

type Pair = readonly [key: string, value: string];

function scanned(tx: ReadTx | WriteTx, bucket: Bucket, most = Number.POSITIVE_INFINITY): Pair[] {
  const pairs: Pair[] = [];
  scanBucket(tx, bucket, (bytes, keyOffset, keyBytes, valueOffset, valueBytes) => {
    pairs.push([
      latin1(bytes, keyOffset, keyOffset + keyBytes),
      latin1(bytes, valueOffset, valueOffset + valueBytes),
    ]);
    return pairs.length < most;
  });
  return pairs;
}

function byCursor(bucket: Bucket): Pair[] {
  const pairs: Pair[] = [];
  const cursor = bucket.cursor();
  for (let more = cursor.first(); more; more = cursor.next()) {
    const value = cursor.value();
    if (value !== undefined) pairs.push([latin1(cursor.key()), latin1(value)]);
  }
  return pairs;
}

/** Every bucket, those inside buckets too. @returns how many there were */
function expectScansLikeCursor(tx: ReadTx | WriteTx): number {
  let buckets = 0;
  const enter = (bucket: Bucket): void => {
    buckets++;
    expect(scanned(tx, bucket)).toEqual(byCursor(bucket));
    const cursor = bucket.cursor();
    for (let more = cursor.first(); more; more = cursor.next()) {
      if (cursor.isBucket) enter(bucket.bucket(cursor.key()) as Bucket);
    }
  };
  for (const { bucket } of tx.buckets()) enter(bucket);
  return buckets;
}

describe("a scan visits what a cursor visits", () => {
  for (const [index, shape] of SHAPES.entries()) {
    for (const cacheBytes of [0, 64 * 1024 * 1024]) {
      test(`shape ${index}, cache of ${cacheBytes} bytes`, () => {
        const random = rng(index);
        const disk = new PowerCutDisk();
        const pageBytes = random.pick([1024, 4096]);
        const file = PageFile.open(disk.openFile("db", "create"), { pageBytes, cacheBytes });
        const model = new ModelBucket();
        let buckets = 0;
        for (let round = 0; round < 15; round++) {
          const tx = file.beginWrite();
          workOn(tx, model, random, shape);
          appendTo(tx, model, random, 200);
          buckets += expectScansLikeCursor(tx); // Changed and not committed: a cursor's scan.
          tx.commit();
          buckets += file.view(expectScansLikeCursor);
        }
        expect(buckets).toBeGreaterThan(30);
        // Committed, nothing in the cache, and a write transaction that has changed nothing.
        file.close();
        const again = PageFile.open(disk.openFile("db", "write"), { cacheBytes });
        again.view(expectScansLikeCursor);
        const tx = again.beginWrite();
        expectScansLikeCursor(tx);
        tx.rollback();
      });
    }
  }

  test.each(goldenFiles(".db"))("golden %s", (name) => {
    using file = PageFile.open(new SystemFile(goldenPath(name), "read"), { readOnly: true });
    expect(file.view(expectScansLikeCursor)).toBeGreaterThan(0);
  });
});

const KEY = utf8("key");

/** 2,000 keys of 8 bytes, in a tree of three levels. */
function loaded(): PowerCutDisk {
  const disk = new PowerCutDisk();
  using file = PageFile.open(disk.openFile("db", "create"), { pageBytes: 1024 });
  file.update((tx) => {
    const bucket = tx.createBucket(KEY);
    for (let i = 0; i < 2000; i++) bucket.put(utf8(String(10_000_000 + i)), utf8("v".repeat(90)));
  });
  return disk;
}

class CountedFile implements RandomAccessFile {
  reads = 0;
  readonly path: string;
  readonly #inner: RandomAccessFile;

  constructor(inner: RandomAccessFile) {
    this.#inner = inner;
    this.path = inner.path;
  }

  size(): number {
    return this.#inner.size();
  }

  read(offsetBytes: number, into: Uint8Array): void {
    this.reads++;
    this.#inner.read(offsetBytes, into);
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    this.reads++;
    return this.#inner.readSome(offsetBytes, into);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#inner.write(offsetBytes, bytes);
  }

  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void {
    this.#inner.writeParts(offsetBytes, parts);
  }

  truncate(sizeBytes: number): void {
    this.#inner.truncate(sizeBytes);
  }

  sync(): void {
    this.#inner.sync();
  }

  close(): void {
    this.#inner.close();
  }
}

test("a scan reads neighbours in one go, and leaves the cache to those who need it", () => {
  const counted = new CountedFile(loaded().openFile("db", "read"));
  using file = PageFile.open(counted, { readOnly: true });
  file.view((tx) => {
    const bucket = tx.bucket(KEY) as Bucket;
    bucket.get(utf8("10000005"));
    counted.reads = 0;
    expect(scanned(tx, bucket)).toHaveLength(2000);
    expect(counted.reads).toBeGreaterThan(0);
    expect(counted.reads).toBeLessThan(40); // Of some 300 pages.
    const once = counted.reads;
    expect(scanned(tx, bucket)).toHaveLength(2000);
    expect(counted.reads).toBe(2 * once); // Nothing that the first scan read was kept.
    for (let i = 0; i < 2000; i++) bucket.get(utf8(String(10_000_000 + i)));
    counted.reads = 0;
    expect(scanned(tx, bucket)).toHaveLength(2000);
    expect(counted.reads).toBe(0); // All of it is in memory.
  });
});

test("a visitor that says false ends the scan", () => {
  using file = PageFile.open(loaded().openFile("db", "read"), { readOnly: true });
  file.view((tx) => {
    const bucket = tx.bucket(KEY) as Bucket;
    expect(scanned(tx, bucket, 1)).toEqual([["10000000", "v".repeat(90)]]);
    expect(scanned(tx, bucket, 777)).toHaveLength(777);
    expect(scanBucket(tx, bucket, () => false)).toBe(false);
    expect(scanBucket(tx, bucket, () => undefined)).toBe(true);
  });
  const tx = file.beginRead();
  const bucket = tx.bucket(KEY) as Bucket;
  tx.close();
  expect(() => scanBucket(tx, bucket, () => true)).toThrow(/transaction is over/);
});

describe("whatever the file says, a scan ends", () => {
  /** The file's bytes with the bucket's root page, a branch, at `at`. */
  function withRoot(change: (page: DataView, count: number) => void): PageFile {
    const disk = loaded();
    const raw = disk.openFile("db", "write");
    using look = PageFile.open(disk.openFile("db", "read"), { readOnly: true });
    const rootId = look.view((tx) => tx.bucket(KEY)?.rootId ?? 0);
    const page = new Uint8Array(1024);
    raw.read(rootId * 1024, page);
    expect(page[8]).toBe(1);
    change(viewOf(page), viewOf(page).getUint16(10, true));
    raw.write(rootId * 1024, page);
    return PageFile.open(disk.openFile("db", "read"), { readOnly: true });
  }

  function scanAll(file: PageFile): number {
    return file.view((tx) => scanned(tx, tx.bucket(KEY) as Bucket).length);
  }

  test("a branch that leads to itself, twice to one page, or out of the file", () => {
    const rootAgain = withRoot((page) => writeU64(page, 16 + 8, page.getUint32(0, true)));
    expect(() => scanAll(rootAgain)).toThrow(/multiple references|deeper than/);
    const twice = withRoot((page) => writeU64(page, 32 + 8, page.getUint32(16 + 8, true)));
    expect(() => scanAll(twice)).toThrow(/multiple references/);
    for (const id of [0, 1, 100_000, 2 ** 52]) {
      const outside = withRoot((page) => writeU64(page, 16 + 8, id));
      expect(() => scanAll(outside)).toThrow(CorruptionError);
    }
  });

  test("random damage", () => {
    let thrown = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = rng(seed);
      const disk = loaded();
      const raw = disk.openFile("db", "write");
      const size = raw.size();
      for (let i = random.int(30); i >= 0; i--) {
        // Mostly in headers and elements, past the metas.
        const at =
          2048 + random.int(size / 1024 - 2) * 1024 + random.int(random.bool() ? 80 : 1024);
        raw.write(at, random.bytes(1 + random.int(4)));
      }
      try {
        using file = PageFile.open(disk.openFile("db", "read"), { readOnly: true });
        file.view((tx) => {
          const bucket = tx.bucket(KEY);
          if (bucket !== undefined) scanned(tx, bucket);
        });
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        thrown++;
      }
    }
    expect(thrown).toBeGreaterThan(50);
  });
});
