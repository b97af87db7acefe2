/** A page is taken apart, changed and encoded: whatever order its bytes were in, the elements are those of a plain list. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { viewOf, writeU16, writeU32, writeU64 } from "../base/bytes.ts";
import { encodePart, partOf } from "./encode-part.ts";
import { Item, nodeOfPage } from "./node.ts";
import { BRANCH, ELEMENT_BYTES, LEAF, PAGE_HEADER_BYTES, Page, parsePage } from "./page.ts";

const PAGE_BYTES = 4096;

interface Element {
  readonly key: string;
  /** Of a leaf; of a branch "". */
  readonly value: string;
  /** Of a branch. */
  readonly child: number;
}

/** @param lie  in which order the keys and values lie @param gapBytes  before the first and between any two of them */
function pageOf(
  isLeaf: boolean,
  elements: readonly Element[],
  lie: readonly number[],
  gapBytes: number,
  base: number,
): Page {
  const bytes = new Uint8Array(base + PAGE_BYTES);
  const view = viewOf(bytes);
  writeU64(view, base, 7);
  writeU16(view, base + 8, isLeaf ? LEAF : BRANCH);
  writeU16(view, base + 10, elements.length);
  let data = base + PAGE_HEADER_BYTES + elements.length * ELEMENT_BYTES;
  for (const i of lie) {
    const { key, value, child } = elements[i] as Element;
    const at = base + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
    data += gapBytes;
    if (isLeaf) {
      writeU32(view, at + 4, data - at);
      writeU32(view, at + 8, key.length);
      writeU32(view, at + 12, value.length);
    } else {
      writeU32(view, at, data - at);
      writeU32(view, at + 4, key.length);
      writeU64(view, at + 8, child);
    }
    bytes.set(Buffer.from(key + value), data);
    data += key.length + value.length;
  }
  return parsePage(new Page(7, bytes, view, base, PAGE_BYTES), "a page", 0);
}

function elementsOf(page: Page): Element[] {
  const node = nodeOfPage(page);
  return node.items.map((_, i) => {
    const item = node.item(i);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
    return { key: text(item.key()), value: text(item.value()), child: item.child };
  });
}

function itemOf({ key, value, child }: Element): Item {
  const bytes = Buffer.from(`${key}${value}`);
  return new Item(bytes, 0, key.length, value.length, 0, child);
}

const change = fc.record({
  at: fc.nat(30),
  what: fc.constantFrom("insert", "replace", "remove", "look"),
  key: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 9 }),
  valueBytes: fc.nat(50),
  child: fc.integer({ min: 2, max: 2 ** 45 }),
});

const scene = fc.record({
  isLeaf: fc.boolean(),
  elements: fc.array(change, { maxLength: 30 }),
  isMixed: fc.boolean(),
  shuffle: fc.infiniteStream(fc.nat()),
  gapBytes: fc.constantFrom(0, 0, 3),
  base: fc.constantFrom(0, 36, 4096),
  changes: fc.array(change, { maxLength: 6 }),
  from: fc.nat(30),
  to: fc.nat(40),
});

test("what is written is what was there, changed as it was", () => {
  let inOrder = 0;
  const property = fc.property(scene, (given) => {
    const { isLeaf, gapBytes, base } = given;
    const elementOf = (from: (typeof given.changes)[number]): Element => ({
      key: from.key,
      value: isLeaf ? "v".repeat(from.valueBytes) : "",
      child: isLeaf ? 0 : from.child,
    });
    const model = given.elements.map(elementOf);
    const lie = [...model.keys()];
    if (given.isMixed) lie.sort(() => (given.shuffle.next().value % 2) - 0.5);
    const page = pageOf(isLeaf, model, lie, gapBytes, base);
    if (page.orderedBytes > 0) inOrder++;
    // A branch with nothing in it is taken apart as a leaf.
    const node = nodeOfPage(page);
    for (const each of given.changes) {
      const at = each.at % (model.length + 1);
      const element = { ...elementOf(each), ...(node.isLeaf && { child: 0 }) };
      if (each.what === "insert") {
        node.insert(at, itemOf(element));
        model.splice(at, 0, element);
      } else if (at < model.length && each.what === "replace") {
        node.replace(at, itemOf(element));
        model[at] = element;
      } else if (at < model.length && each.what === "remove") {
        node.remove(at);
        model.splice(at, 1);
      } else if (at < model.length) expect(node.item(at).keyBytes).toBe(model[at]?.key.length);
    }
    const from = given.from % (model.length + 1);
    const to = Math.max(from, Math.min(given.to, model.length));
    const part = partOf(node, from, to);
    const bytes = new Uint8Array(3 * PAGE_BYTES).fill(0xee);
    encodePart(part, 9, 0, bytes, viewOf(bytes), PAGE_BYTES, PAGE_BYTES);
    expect(bytes.subarray(0, PAGE_BYTES).every((byte) => byte === 0xee)).toBe(true);
    expect(bytes.subarray(2 * PAGE_BYTES).every((byte) => byte === 0xee)).toBe(true);
    expect(bytes.subarray(PAGE_BYTES + part.sizeBytes, 2 * PAGE_BYTES).some(Boolean)).toBe(false);
    const written = parsePage(new Page(9, bytes, viewOf(bytes), PAGE_BYTES, PAGE_BYTES), "it", 0);
    expect(elementsOf(written)).toEqual(model.slice(from, to));
    expect(written.orderedBytes).toBe(to > from ? part.sizeBytes : 0);
  });
  fc.assert(property, { numRuns: 2000 });
  expect(inOrder).toBeGreaterThan(200);
});
