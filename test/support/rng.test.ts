import { expect, test } from "vitest";
import { InvariantError } from "../../src/base/invariant.ts";
import { type Rng, rng } from "./rng.ts";

const draw = (r: Rng) => [r.u32(), r.int(100), r.float(), r.bool(), r.pick("abcdef".split(""))];

test("the same seed replays every kind of draw, another seed does not", () => {
  const one = rng(7);
  const two = rng(7);
  for (let i = 0; i < 100; i++) {
    expect(draw(one)).toEqual(draw(two));
    expect(one.bytes(i)).toEqual(two.bytes(i));
    expect(one.shuffle([1, 2, 3, 4, 5])).toEqual(two.shuffle([1, 2, 3, 4, 5]));
  }
  expect(rng(8).bytes(32)).not.toEqual(rng(7).bytes(32));
});

test("a seed printed by an old run still replays it", () => {
  const r = rng(42);
  expect([r.u32(), r.u32(), r.u32()]).toMatchInlineSnapshot(`
    [
      1959603763,
      2423114712,
      2466933512,
    ]
  `);
});

test("neighbouring seeds differ in about half of their bits", () => {
  let differing = 0;
  for (let seed = 0; seed < 1000; seed++) {
    let bits = rng(seed).u32() ^ rng(seed + 1).u32();
    for (; bits !== 0; bits &= bits - 1) differing++;
  }
  expect(differing / 1000).toBeGreaterThan(15);
  expect(differing / 1000).toBeLessThan(17);
});

test("draws stay in their range and reach all of it", () => {
  const r = rng(1);
  const seen = new Array<number>(10).fill(0);
  let heads = 0;
  let rare = 0;
  for (let i = 0; i < 10_000; i++) {
    const n = r.int(10);
    seen[n] = (seen[n] ?? 0) + 1;
    const f = r.float();
    expect(f >= 0 && f < 1).toBe(true);
    if (r.bool()) heads++;
    if (r.bool(0.01)) rare++;
  }
  for (const count of seen) expect(Math.abs(count - 1000)).toBeLessThan(150);
  expect(Math.abs(heads - 5000)).toBeLessThan(250);
  expect(Math.abs(rare - 100)).toBeLessThan(50);
  expect([r.bool(0), r.bool(1), r.int(1)]).toEqual([false, true, 0]);
  expect(new Set(r.bytes(10_000)).size).toBe(256);
});

test("a shuffle keeps the members and leaves its argument alone", () => {
  const list = Object.freeze(Array.from({ length: 50 }, (_, i) => i));
  const mixed = rng(3).shuffle(list);
  expect(mixed).not.toEqual(list);
  expect(mixed.toSorted((x, y) => x - y)).toEqual(list);
});

test("a draw from nothing is a bug in the test", () => {
  expect(() => rng(1).int(0)).toThrow(InvariantError);
  expect(() => rng(1).pick([])).toThrow(InvariantError);
});
