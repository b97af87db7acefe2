import { expect, test } from "vitest";
import { rng } from "../../../test/support/rng.ts";
import { IntervalTree } from "./interval-tree.ts";

function namesAt(tree: IntervalTree<string>, point: string): string[] {
  const into: string[] = [];
  into.length = tree.find(point, into, 0);
  return into.sort();
}

test("an interval holds its start and not its end", () => {
  const tree = new IntervalTree<string>();
  tree.add("b", "d", "b-d");
  expect(["a\xff", "b", "c\xff", "d"].map((point) => namesAt(tree, point))).toEqual([
    [],
    ["b-d"],
    ["b-d"],
    [],
  ]);
});

for (let seed = 1; seed <= 30; seed++) {
  test(`random intervals are found as a list finds them: seed ${seed}`, () => {
    const random = rng(seed);
    const tree = new IntervalTree<string>();
    const list = new Map<string, readonly [start: string, end: string]>();
    const letters = ["\0", "a", "b", "c", "\xff"].slice(0, 2 + random.int(4));
    const point = (): string =>
      Array.from({ length: random.int(4) }, () => random.pick(letters)).join("");
    for (let round = 0; round < 400; round++) {
      const [start, end] = [point(), random.bool(0.1) ? "\uffff" : point()];
      const name = `${start},${end}`;
      if (start < end && !list.has(name)) {
        expect(tree.get(start, end)).toBeUndefined();
        tree.add(start, end, name);
        list.set(name, [start, end]);
      }
      if (list.size > 0 && random.bool(0.4)) {
        const gone = random.pick([...list.keys()]);
        const [from, to] = list.get(gone) as [string, string];
        expect(tree.get(from, to)).toBe(gone);
        tree.remove(from, to);
        list.delete(gone);
      }
      const at = point();
      const right = [...list].flatMap(([name, [from, to]]) => (from <= at && at < to ? name : []));
      expect(namesAt(tree, at)).toEqual(right.sort());
      expect(tree.holds(at)).toBe(right.length > 0);
      expect(tree.count).toBe(list.size);
      expect(tree.height).toBeLessThanOrEqual(1.45 * Math.log2(list.size + 2));
    }
  });
}

test("intervals in order of their start, of their end and nested do not make it deep", () => {
  const shapes = [
    (i: number): [string, string] => [`${i}`.padStart(5, "0"), "9"],
    (i: number): [string, string] => ["0", `${i}`.padStart(5, "0")],
    (i: number): [string, string] => [`0${10_000 - i}`, `1${10_000 + i}`],
  ];
  for (const shape of shapes) {
    const tree = new IntervalTree<number>();
    for (let i = 1; i <= 10_000; i++) tree.add(...shape(i), i);
    expect(tree.height).toBeLessThan(20);
    for (let i = 1; i <= 10_000; i += 2) tree.remove(...shape(i));
    expect(tree.count).toBe(5000);
    expect(tree.height).toBeLessThan(20);
  }
});
