import { expect, test } from "vitest";
import { rng } from "../../test/support/rng.ts";
import { OrderedKeys } from "./ordered-keys.ts";

function all(tree: OrderedKeys, start = "", end?: string): [string, number][] {
  const seen: [string, number][] = [];
  tree.scan(start, end, (key, id) => seen.push([key, id]) > 0);
  return seen;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key ${String(i).padStart(6, "0")}`);
}

test.each([
  { order: "ascending", arrange: (list: string[]) => list },
  { order: "descending", arrange: (list: string[]) => list.toReversed() },
  { order: "random", arrange: (list: string[]) => rng(7).shuffle(list) },
])("10,000 keys inserted and removed in $order order", ({ arrange }) => {
  const keys = names(10_000);
  const tree = new OrderedKeys();
  for (const key of arrange(keys)) tree.insert(key, Number(key.slice(4)));
  expect(all(tree)).toEqual(keys.map((key, i) => [key, i]));
  const order = arrange(keys);
  for (const [i, key] of order.entries()) {
    tree.remove(key);
    if (i === 4999) expect(all(tree).map(([left]) => left)).toEqual(order.slice(5000).toSorted());
    if (i === 9899) expect(tree.nodes()).toBeLessThan(30);
  }
  expect(all(tree)).toEqual([]);
  expect(tree.nodes()).toBe(1);
});

test("keys in order fill their nodes", () => {
  const tree = new OrderedKeys();
  for (const [i, key] of names(64 * 64).entries()) tree.insert(key, i);
  expect(tree.nodes()).toBe(64 + 1);
});

test.each([0, 1, 56, 57, 56 * 56, 56 * 56 + 1, 20_000])("%i keys loaded at once", (count) => {
  const keys = names(count);
  const tree = new OrderedKeys();
  tree.load(
    keys,
    keys.map((_, i) => i),
  );
  expect(tree.count).toBe(count);
  expect(all(tree)).toEqual(keys.map((key, i) => [key, i]));
  for (let i = 0; i < count; i += 3) tree.insert(`${keys[i]}+`, -i);
  for (let i = 0; i < count; i += 2) tree.remove(keys[i] as string);
  const left = new Set(keys.filter((_, i) => i % 2 === 1));
  for (let i = 0; i < count; i += 3) left.add(`${keys[i]}+`);
  expect(all(tree).map(([key]) => key)).toEqual([...left].sort());
});

test("random inserts, removals and scans agree with a sorted list", () => {
  const random = rng(11);
  const tree = new OrderedKeys();
  const held = new Map<string, number>();
  for (let round = 0; round < 300; round++) {
    const grows = Math.floor(round / 50) % 2 === 0;
    for (let i = 0; i < 60; i++) {
      const key = String(random.int(6000));
      if (held.has(key)) {
        if (grows && random.bool(0.7)) continue;
        tree.remove(key);
        held.delete(key);
      } else if (grows || random.bool(0.3)) {
        tree.insert(key, round);
        held.set(key, round);
      }
    }
    const start = String(random.int(6000));
    const end = random.bool() ? String(random.int(6000)) : undefined;
    const sorted = [...held].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(all(tree, start, end)).toEqual(
      sorted.filter(([key]) => key >= start && (end === undefined || key < end)),
    );
    expect(tree.count).toBe(held.size);
  }
});
