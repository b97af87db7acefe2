import { expect, test } from "vitest";
import { viewOf, writeU16, writeU32, writeU64 } from "../base/bytes.ts";
import { encodePart, partOf } from "./encode-part.ts";
import { Item, Node, nodeOfPage } from "./node.ts";
import {
  BRANCH,
  LEAF,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  Page,
  pageFault,
  pageTypeName,
  searchBranch,
  searchLeaf,
} from "./page.ts";

const PAGE_BYTES = 512;

/** @param keys  each with itself as value in a leaf, with 7, 8, … as children in a branch */
function pageOf(isLeaf: boolean, keys: readonly string[], id = 9): Page {
  const items = keys.map((key, i) => {
    const bytes = Buffer.from(isLeaf ? key + key : key);
    return new Item(bytes, 0, key.length, isLeaf ? key.length : 0, 0, isLeaf ? 0 : 7 + i);
  });
  const node = new Node(isLeaf, items);
  const bytes = new Uint8Array(PAGE_BYTES).fill(0xee);
  encodePart(partOf(node, 0, items.length), id, 0, bytes, viewOf(bytes), 0, PAGE_BYTES);
  return new Page(id, bytes, viewOf(bytes), 0, PAGE_BYTES);
}

const where = { offsetBytes: -1 };
const again = (page: Page): Page => new Page(page.id, page.bytes, page.view, 0, page.length);

test("a leaf is laid out as bbolt does: headers, then keys and values without a gap, then zeros", () => {
  const page = pageOf(true, ["a", "bcd"]);
  const bytes = Buffer.from(page.bytes);
  expect(bytes.subarray(0, 16).toString("hex")).toBe(
    "0900000000000000" + "0200" + "0200" + "00000000",
  );
  expect(bytes.subarray(16, 32).toString("hex")).toBe(
    "00000000" + "20000000" + "01000000" + "01000000",
  );
  expect(bytes.subarray(32, 48).toString("hex")).toBe(
    "00000000" + "12000000" + "03000000" + "03000000",
  );
  expect(bytes.subarray(48, 56).toString()).toBe("aabcdbcd");
  expect(bytes.subarray(56).every((byte) => byte === 0)).toBe(true);
});

test("a branch is laid out as bbolt does", () => {
  const bytes = Buffer.from(pageOf(false, ["k", "m"]).bytes);
  expect(bytes.subarray(8, 10).toString("hex")).toBe("0100");
  expect(bytes.subarray(16, 32).toString("hex")).toBe("20000000" + "01000000" + "0700000000000000");
  expect(bytes.subarray(32, 48).toString("hex")).toBe("11000000" + "01000000" + "0800000000000000");
  expect(bytes.subarray(48, 50).toString()).toBe("km");
});

test("searches find the key, or its place", () => {
  const leaf = pageOf(true, ["b", "d", "f"]);
  const key = (text: string): Uint8Array => Buffer.from(text);
  expect(["a", "b", "c", "d", "e", "f", "g"].map((text) => searchLeaf(leaf, key(text)))).toEqual([
    ~0,
    0,
    ~1,
    1,
    ~2,
    2,
    ~3,
  ]);
  const branch = pageOf(false, ["b", "d", "f"]);
  expect(
    ["a", "b", "c", "d", "e", "f", "g"].map((text) => searchBranch(branch, key(text))),
  ).toEqual([0, 0, 0, 1, 1, 2, 2]);
  expect(searchLeaf(pageOf(true, []), key("a"))).toBe(~0);
});

test("an element may lie anywhere in the page, as `pos` says", () => {
  const page = pageOf(true, ["a", "b"]);
  page.bytes.set(Buffer.from("keyvalue"), 300);
  writeU32(page.view, 16 + 4, 300 - 16);
  writeU32(page.view, 16 + 8, 3);
  writeU32(page.view, 16 + 12, 5);
  expect(pageFault(page, where)).toBeUndefined();
  const at = leafKeyOffset(page, 0);
  const end = at + leafKeyBytes(page, 0) + leafValueBytes(page, 0);
  expect(Buffer.from(page.bytes.subarray(at, end)).toString()).toBe("keyvalue");
});

test("what cannot be trusted is named, with its place", () => {
  const damaged = (damage: (page: Page) => void, isLeaf = true): string | undefined => {
    const page = pageOf(isLeaf, ["a", "b", "c"]);
    damage(page);
    return pageFault(again(page), where);
  };
  expect(damaged(() => undefined)).toBeUndefined();
  expect(damaged((page) => writeU64(page.view, 0, 8))).toBe(
    "Page expected to be: 9, but self identifies as 8",
  );
  expect(damaged((page) => writeU16(page.view, 8, 3))).toBe("page 9: has unexpected type/flags: 3");
  expect(damaged((page) => writeU16(page.view, 10, 40))).toBe(
    "page 9: 40 elements do not fit into 512 bytes",
  );
  expect(where.offsetBytes).toBe(10);
  expect(damaged((page) => writeU32(page.view, 32 + 12, 500))).toMatch("element 1 of 3 reaches");
  expect(where.offsetBytes).toBe(32);
  expect(damaged((page) => writeU32(page.view, 16 + 4, 2 ** 32 - 1))).toMatch(
    "element 0 of 3 reaches",
  );
  expect(damaged((page) => writeU32(page.view, 16, 600), false)).toMatch("element 0 of 3 reaches");
});

test("types have bbolt's names", () => {
  expect([BRANCH, LEAF, 4, 16, 0, 3, 0x1f].map(pageTypeName)).toEqual([
    "branch",
    "leaf",
    "meta",
    "freelist",
    "unknown<00>",
    "unknown<03>",
    "unknown<1f>",
  ]);
});

test("a branch without children is taken apart as an empty leaf that wants to go", () => {
  expect(nodeOfPage(pageOf(false, []))).toMatchObject({ isLeaf: true, count: 0, unbalanced: true });
});
