import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes, viewOf } from "../base/bytes.ts";
import { encodePart, Item, Node, partOf, searchNodeBranch, searchNodeLeaf } from "./node.ts";
import { Page, parsePage, searchBranch, searchLeaf } from "./page.ts";

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
