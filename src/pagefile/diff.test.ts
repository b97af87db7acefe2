/** A copy of the older root, after what the difference says, is one of the newer: for trees of any shape. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import { DiffApplier } from "./apply-diff.ts";
import type { Bucket } from "./bucket.ts";
import { compactTree } from "./compact.ts";
import { copyInSteps } from "./copy-steps.ts";
import { type DiffRoot, TreeDiff } from "./diff.ts";
import { forgetOlder, PageFile } from "./page-file.ts";
import type { ReadTx, WriteTx } from "./tx.ts";

const PAGE_BYTES = 1024;
const NAMES = ["a", "b", "c"];

interface Change {
  readonly path: readonly string[];
  readonly what: "put" | "delete" | "deleteBucket" | "sequence";
  readonly key: number;
  readonly bytes: number;
}

const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });
const change: fc.Arbitrary<Change> = fc.record({
  path,
  what: fc.constantFrom("put", "put", "put", "delete", "deleteBucket", "sequence"),
  key: fc.nat(60),
  bytes: fc.oneof(fc.nat(300), fc.constant(3000)),
});
/** Many keys in a row, so that trees have branches. */
const bulk = fc.record({ path, from: fc.nat(400), count: fc.nat(300), remove: fc.boolean() });

const keyOf = (i: number): Uint8Array => Buffer.from(`k${String(i).padStart(4, "0")}`);

function apply(
  tx: WriteTx,
  { path: [top, ...rest], what, key, bytes }: Change,
  salt: number,
): void {
  if (what === "deleteBucket" && rest.length === 0) {
    if (tx.bucket(Buffer.from(top as string))) tx.deleteBucket(Buffer.from(top as string));
    return;
  }
  let bucket = tx.createBucketIfNotExists(Buffer.from(top as string));
  for (const [i, name] of rest.entries()) {
    const inner = Buffer.from(`k00${name}`);
    const isLast = i === rest.length - 1;
    if (isLast && what === "deleteBucket") {
      if (bucket.bucket(inner)) bucket.deleteBucket(inner);
      return;
    }
    if (bucket.get(inner) !== undefined) bucket.delete(inner);
    bucket = bucket.createBucketIfNotExists(inner);
  }
  if (what === "sequence") bucket.setSequence(BigInt(key));
  else if (what === "delete") bucket.delete(keyOf(key));
  else bucket.put(keyOf(key), new Uint8Array(bytes).fill(salt));
  // A value where a bucket may have been, and may be again.
  const name = Buffer.from("k00a");
  if (what === "put" && key === 7) {
    if (bucket.bucket(name)) bucket.deleteBucket(name);
    bucket.put(name, new Uint8Array(8).fill(salt));
  }
}

interface Shown {
  readonly sequence: bigint;
  readonly items: readonly (readonly [string, string | Shown])[];
}

function shown(bucket: Pick<Bucket, "cursor" | "bucket">, sequence: bigint): Shown {
  const items: [string, string | Shown][] = [];
  const cursor = bucket.cursor();
  for (let more = cursor.first(); more; more = cursor.next()) {
    const key = cursor.key().slice();
    const name = Buffer.from(key).toString();
    const start = cursor.keyOffset + cursor.keyBytes;
    const inner = cursor.isBucket ? bucket.bucket(key) : undefined;
    if (inner !== undefined) items.push([name, shown(inner, inner.sequence)]);
    else {
      const value = cursor.bytes.subarray(start, start + cursor.valueBytes);
      items.push([name, Buffer.from(value).toString("hex")]);
    }
  }
  return { sequence, items };
}

function counting(root: ReadTx): { root: DiffRoot; readonly pages: number } {
  let pages = 0;
  return {
    root: {
      path: root.path,
      pageBytes: root.pageBytes,
      meta: root.meta,
      page: (id) => {
        pages++;
        return root.page(id);
      },
    },
    get pages(): number {
      return pages;
    },
  };
}

function copyOf(file: PageFile): MemoryFile {
  const copy = new MemoryFile();
  compactTree(file.walkSource(), file.meta, (at, bytes) => copy.write(at, bytes));
  return copy;
}

test("a copy is brought from one root to the next, and again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(change, { maxLength: 12 }), fc.array(bulk, { maxLength: 2 })), {
        minLength: 2,
        maxLength: 4,
      }),
      (commits) => {
        const file = PageFile.open(new MemoryFile(), { pageBytes: PAGE_BYTES });
        let copy: MemoryFile | undefined;
        let free: ArrayLike<number> = [];
        let older: ReadTx | undefined;
        for (const [salt, [changes, bulks]] of commits.entries()) {
          file.update((tx) => {
            for (const each of changes) apply(tx, each, salt);
            for (const { path: at, from, count, remove } of bulks) {
              const what = remove ? "delete" : "put";
              for (let key = from; key < from + count; key++) {
                apply(tx, { path: at, what, key: key + 100, bytes: 20 }, salt);
              }
            }
          });
          const newer = file.beginRead();
          if (copy === undefined || older === undefined) {
            copy = copyOf(file);
          } else {
            const pages = PageFile.open(copy, { free, noSync: true }, () => undefined);
            const applier = new DiffApplier(pages, new TreeDiff(older, newer));
            while (applier.step());
            expect(pages.view((tx) => shown(tx, 0n))).toEqual(shown(newer, 0n));
            expect(pages.check().faults).toEqual([]);
            free = pages.freeIds();
            pages.close();
            forgetOlder(copy);
            // What a walk finds free is what was said to be.
            const again = PageFile.open(copy, { noSync: true }, () => undefined);
            expect(again.freeIds()).toEqual(free);
            again.close();
          }
          older?.close();
          older = newer;
        }
      },
    ),
    { numRuns: process.env.STRATA_FULL === "1" ? 2000 : 25 },
  );
});

test("what both roots have is not read: one put in a large tree is a few pages", () => {
  const file = PageFile.open(new MemoryFile(), { pageBytes: PAGE_BYTES });
  const name = Buffer.from("key");
  file.update((tx) => {
    const bucket = tx.createBucket(name);
    for (let i = 0; i < 5000; i++) bucket.put(keyOf(i), new Uint8Array(100));
  });
  const older = file.beginRead();
  file.update((tx) => tx.bucket(name)?.put(keyOf(2500), new Uint8Array(101)));
  const newer = file.beginRead();
  const [a, b] = [counting(older), counting(newer)];
  const diff = new TreeDiff(a.root, b.root);
  const told: string[] = [];
  while (diff.next()) told.push(`${diff.kind} ${Buffer.from(diff.key()).toString()}`);
  expect(told.slice(0, 2)).toEqual(["enter key", "put k2500"]);
  expect(told).toHaveLength(3);
  expect(a.pages + b.pages).toBeLessThan(40);
  const none = counting(newer);
  expect(new TreeDiff(none.root, none.root).next()).toBe(false);
  expect(none.pages).toBeLessThan(5);
});

test("a copy in steps is byte for byte the copy in one go", () => {
  const file = PageFile.open(new MemoryFile(), { pageBytes: PAGE_BYTES });
  file.update((tx) => {
    for (let i = 0; i < 300; i++) {
      apply(tx, { path: ["a", "b"], what: "put", key: i, bytes: i }, i);
      apply(tx, { path: ["c"], what: i % 9 === 0 ? "sequence" : "put", key: i, bytes: 40 }, i);
    }
  });
  const whole = copyOf(file);
  const stepped = new MemoryFile();
  const tx = file.beginRead();
  const steps = copyInSteps(tx, (at, bytes) => stepped.write(at, bytes));
  let step = steps.next();
  let count = 0;
  for (; !step.done; step = steps.next()) count++;
  tx.close();
  expect(count).toBeGreaterThan(2);
  const bytesOf = (from: MemoryFile): Buffer => {
    const bytes = Buffer.alloc(from.size());
    from.read(0, bytes);
    return bytes;
  };
  expect(bytesOf(stepped).equals(bytesOf(whole))).toBe(true);
  expect(step.value.meta.pgid * PAGE_BYTES).toBe(whole.size());
});
