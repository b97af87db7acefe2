import fc from "fast-check";
import { expect, test } from "vitest";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { compareBytes, latin1, utf8, viewOf } from "../base/bytes.ts";
import { encodePart, partOf } from "./encode-part.ts";
import { Item, Node, searchNodeBranch, searchNodeLeaf } from "./node.ts";
import { Page, parsePage, searchBranch, searchLeaf } from "./page.ts";
import { PageFile } from "./page-file.ts";

/** Around the length that words are read for, with bytes on both sides of every sign and carry. */
const someKey = fc
  .array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { minLength: 1, maxLength: 12 })
  .map((bytes) => new Uint8Array(bytes));

function nodeOf(isLeaf: boolean, keys: readonly Uint8Array[]): Node {
  const items = keys.map((key, i) => new Item(key, 0, key.length, 0, 0, isLeaf ? 0 : i + 10));
  return new Node(isLeaf, items);
}

function pageOf(node: Node): Page {
  // Nothing lies behind the last key: a search that reads past it would throw.
  const bytes = new Uint8Array(node.sizeBytes);
  encodePart(partOf(node, 0, node.count), 5, 0, bytes, viewOf(bytes), 0, bytes.length);
  return parsePage(new Page(5, bytes, viewOf(bytes), 0, bytes.length), "search.test", 0);
}

test("a search in a page or a node finds what a plain look at every key finds", () => {
  fc.assert(
    fc.property(
      fc.array(someKey, { maxLength: 30 }),
      fc.array(someKey, { minLength: 1, maxLength: 30 }),
      (some, more) => {
        const sorted = [...some].sort(compareBytes);
        const keys = sorted.filter(
          (key, i) => compareBytes(key, sorted[i - 1] ?? key) > 0 || i === 0,
        );
        const leaf = nodeOf(true, keys);
        const branch = nodeOf(false, keys);
        const leafPage = pageOf(leaf);
        const branchPage = pageOf(branch);
        for (const wanted of [...keys, ...more]) {
          const below = keys.filter((key) => compareBytes(key, wanted) < 0).length;
          const there = keys.some((key) => compareBytes(key, wanted) === 0);
          expect(searchLeaf(leafPage, wanted)).toBe(there ? below : ~below);
          expect(searchNodeLeaf(leaf, wanted)).toBe(there ? below : ~below);
          const child = Math.max(0, there ? below : below - 1);
          expect(searchBranch(branchPage, wanted)).toBe(child);
          expect(searchNodeBranch(branch, wanted)).toBe(child);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** Keys whose first eight bytes are numbers: in a row, with gaps, bunched, far apart, or all the same. */
const someNumbers = fc.oneof(
  fc
    .tuple(fc.bigInt(0n, 2n ** 64n - 2000n), fc.constantFrom(1n, 1n, 3n, 1000n))
    .map(([from, step]) =>
      Array.from({ length: 600 }, (_, i) => BigInt.asUintN(64, from + BigInt(i) * step)),
    ),
  fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: 1, maxLength: 600 }),
  fc.array(fc.bigInt(0n, 300n), { minLength: 1, maxLength: 600 }),
  fc.constant(new Array<bigint>(300).fill(7n)),
);

test("a get finds what was put and nothing else, however the keys are spread", () => {
  fc.assert(
    fc.property(someNumbers, fc.boolean(), (numbers, short) => {
      const values = new Map<string, Uint8Array>();
      using file = PageFile.open(new PowerCutDisk().openFile("db", "create"), { pageBytes: 1024 });
      const name = utf8("key");
      file.update((tx) => {
        const bucket = tx.createBucket(name);
        numbers.forEach((number, i) => {
          const key = Buffer.alloc(short && i % 9 === 0 ? 7 : 8 + (i % 3), i & 0xff);
          key.set(bigEndian(number).subarray(0, key.length));
          const value = utf8(`${number}/${i}`.padEnd(40));
          bucket.put(key, value);
          values.set(latin1(key), value);
        });
      });
      file.view((tx) => {
        const bucket = tx.bucket(name);
        for (const [key, value] of values) {
          expect(latin1(bucket?.get(Buffer.from(key, "latin1")) ?? utf8("none"))).toBe(
            latin1(value),
          );
        }
        for (const number of [...numbers.slice(0, 100), 0n, 2n ** 64n - 1n]) {
          for (const near of [number - 1n, number, number + 1n]) {
            const key = bigEndian(BigInt.asUintN(64, near));
            expect(bucket?.get(key)).toEqual(values.get(latin1(key)));
          }
        }
      });
    }),
    { numRuns: 40 },
  );
});

function bigEndian(number: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  return bytes;
}
