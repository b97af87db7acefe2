import fc from "fast-check";
import { expect, test } from "vitest";
import { RevisionSet } from "./revision-set.ts";

const revision = fc.tuple(
  fc.oneof(fc.nat({ max: 5 }), fc.maxSafeNat()),
  fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 32 - 1 })),
);

test("any revisions come out in order, however small the steps", () => {
  const some = fc.uniqueArray(revision, {
    maxLength: 300,
    selector: ([main, sub]) => `${main}_${sub}`,
  });
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 500 }), (revisions, work) => {
      const set = new RevisionSet(0);
      for (const [main, sub] of revisions) set.add(main, sub);
      while (!set.sortSome(work));
      const sorted = revisions.toSorted(([a, x], [b, y]) => a - b || x - y);
      expect(Array.from(set.mains, (main, i) => [main, set.subs[i]])).toEqual(sorted);
      for (const [main, sub] of revisions) expect(set.has(main, sub)).toBe(true);
      expect(set.has(7, 7)).toBe(revisions.some(([main, sub]) => main === 7 && sub === 7));
    }),
  );
});

test("a set is filled, then sorted, then asked", () => {
  const set = new RevisionSet();
  set.add(2, 0);
  expect(() => set.has(2, 0)).toThrow(/sorted/);
  set.sort();
  expect(set.has(2, 0)).toBe(true);
  expect(() => set.add(3, 0)).toThrow(/no more/);
});
