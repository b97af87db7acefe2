import fc from "fast-check";
import { expect, test } from "vitest";
import { rng } from "../../test/support/rng.ts";
import { sortKeys } from "./sort-keys.ts";

function sorted(keys: readonly string[]): string[] {
  return Array.from(sortKeys(keys), (place) => keys[place] as string);
}

test("any keys come out in the order of their bytes", () => {
  const character = fc.constantFrom("\0", "\x01", "a", "b", "\xff");
  const key = fc.oneof(
    fc.string({ unit: character, maxLength: 20 }),
    fc.string({ unit: character, maxLength: 5 }).map((tail) => `/registry/pods/${tail}`),
  );
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 300 }), (keys) => {
      expect(sorted(keys)).toEqual(keys.toSorted());
    }),
  );
});

test("keys that are prefixes of each other, thousands deep", () => {
  const keys = Array.from({ length: 3000 }, (_, i) => "a".repeat(i));
  expect(sorted(rng(1).shuffle(keys))).toEqual(keys);
});

test("many keys of two prefixes", () => {
  const random = rng(2);
  const keys = new Set<string>();
  while (keys.size < 20_000) {
    keys.add(`/registry/${random.pick(["pods", "events"])}/ns-${random.int(30)}/${random.u32()}`);
  }
  expect(sorted([...keys])).toEqual([...keys].sort());
});
