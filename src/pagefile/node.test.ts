import { expect, test } from "vitest";
import { Item, Node, splitEnds } from "./node.ts";

const PAGE_BYTES = 1000;

/** Elements that take these many bytes each, their header included. */
function nodeOf(...sizes: readonly number[]): Node {
  const items = sizes.map((size) => new Item(new Uint8Array(size), 0, 1, size - 17, 0, 0));
  return new Node(true, items);
}

test("the size of a node follows what is done to it", () => {
  const node = nodeOf(100, 200);
  expect(node.sizeBytes).toBe(16 + 300);
  node.insert(1, nodeOf(50).items[0] as Item);
  node.replace(0, nodeOf(70).items[0] as Item);
  expect(node.sizeBytes).toBe(16 + 320);
  expect(node.unbalanced).toBe(false);
  node.remove(2);
  expect([node.sizeBytes, node.unbalanced]).toEqual([16 + 120, true]);
});

test("a node is cut only when it has more than four elements and does not fit a page", () => {
  expect(splitEnds(nodeOf(900, 900, 900, 900), PAGE_BYTES, 0.5)).toEqual([4]);
  expect(splitEnds(nodeOf(196, 197, 197, 197, 196), PAGE_BYTES, 0.5)).toEqual([5]); // 999 bytes
  expect(splitEnds(nodeOf(197, 197, 197, 197, 196), PAGE_BYTES, 0.5)).toEqual([2, 5]); // 1000
});

test("parts are filled up to the fill percent, and have at least two elements", () => {
  const hundreds = nodeOf(...new Array<number>(12).fill(100));
  expect(splitEnds(hundreds, PAGE_BYTES, 0.5)).toEqual([4, 12]);
  expect(splitEnds(hundreds, PAGE_BYTES, 0.9)).toEqual([8, 12]);
  expect(splitEnds(hundreds, PAGE_BYTES, 1)).toEqual([9, 12]);
  expect(splitEnds(hundreds, PAGE_BYTES, 0.01)).toEqual([2, 4, 12]); // Never below 0.1, and two at least.
  expect(splitEnds(nodeOf(900, 900, 900, 900, 900), PAGE_BYTES, 0.5)).toEqual([2, 5]);
  expect(splitEnds(nodeOf(...new Array<number>(7).fill(900)), PAGE_BYTES, 0.5)).toEqual([2, 4, 7]);
  const tiny = nodeOf(10, 10, 10, 10, 970, 10);
  expect(splitEnds(tiny, PAGE_BYTES, 1)).toEqual([4, 6]);
});
