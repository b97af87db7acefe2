import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyIndexModel } from "../../test/support/key-index-model.ts";
import { IndexRestore } from "./index-restore.ts";
import { type FoundRevision, FROM_KEY, KeyIndex } from "./key-index.ts";
import type { RevisionSet } from "./revision-set.ts";

const ALL = ["\0", FROM_KEY] as const;

/** The history of `key` as the index has it: main revisions, "t" behind a tombstone. */
function history(index: KeyIndex, key = "foo"): string {
  const changes: string[] = [];
  index.since(key, "", 0, (_, main, __, tombstone) => {
    return changes.push(`${main}${tombstone ? "t" : ""}`) > 0;
  });
  return changes.join(" ");
}

function mains(set: RevisionSet): number[] {
  return [...set.mains];
}

function at(index: KeyIndex, key: string, rev: number): FoundRevision | undefined {
  const found = { main: 0, sub: 0, create: 0, version: 0 };
  return index.get(key, rev, found) ? found : undefined;
}

/** Two lives: {3 4 6t} {8 11t}, deleted. */
function twoLives(): KeyIndex {
  const index = new KeyIndex();
  index.put("foo", 3, 0);
  index.put("foo", 4, 0);
  index.tombstone("foo", 6, 0);
  index.put("foo", 8, 0);
  index.tombstone("foo", 11, 0);
  return index;
}

test.each([
  { revision: 2, keeps: [], left: "3 4 6t 8 11t" },
  { revision: 3, keeps: [3], left: "3 4 6t 8 11t" },
  { revision: 5, keeps: [4], left: "4 6t 8 11t" },
  { revision: 6, keeps: [6], left: "6t 8 11t" },
  { revision: 7, keeps: [], left: "8 11t" },
  { revision: 8, keeps: [8], left: "8 11t" },
  { revision: 10, keeps: [8], left: "8 11t" },
  { revision: 11, keeps: [11], left: "11t" },
  { revision: 12, keeps: [], left: "" },
])("compaction of two lives at $revision keeps $keeps", ({ revision, keeps, left }) => {
  const index = twoLives();
  const kept = index.keep(revision);
  expect(kept.finish()).toBe("done");
  expect(mains(kept.kept)).toEqual(keeps.filter((main) => main !== 6 && main !== 11));
  expect(history(index)).toBe("3 4 6t 8 11t");

  const compaction = index.compact(revision);
  expect(compaction.finish()).toBe("done");
  expect(mains(compaction.kept)).toEqual(keeps);
  expect(history(index)).toBe(left);
  expect(index.memory().keys).toBe(left === "" ? 0 : 1);
});

test("a tombstone exactly at the compacted revision stays until the next compaction", () => {
  const index = twoLives();
  index.compact(11).finish();
  expect(index.memory()).toMatchObject({ keys: 1, liveKeys: 0, revisions: 1 });
  expect(at(index, "foo", 11)).toBeUndefined();
  index.compact(12).finish();
  expect(index.memory()).toMatchObject({ keys: 0, liveKeys: 0, revisions: 0 });
});

test("a key that comes back begins again, and its earlier life is still read", () => {
  const index = twoLives();
  index.put("foo", 12, 3);
  expect(at(index, "foo", Infinity)).toEqual({ main: 12, sub: 3, create: 12, version: 1 });
  expect(at(index, "foo", 11)).toBeUndefined();
  expect(at(index, "foo", 9)).toEqual({ main: 8, sub: 0, create: 8, version: 1 });
  expect(at(index, "foo", 7)).toBeUndefined();
  expect(at(index, "foo", 5)).toEqual({ main: 4, sub: 0, create: 3, version: 2 });
  expect(at(index, "foo", 2)).toBeUndefined();
});

test("compaction forgets revisions, not how many there were", () => {
  const index = new KeyIndex();
  for (let main = 2; main < 2000; main++) index.put("foo", main, 0);
  index.compact(1500).finish();
  expect(at(index, "foo", 1499)).toBeUndefined();
  expect(at(index, "foo", 1500)).toEqual({ main: 1500, sub: 0, create: 2, version: 1499 });
  expect(index.memory().revisions).toBe(500);
});

test("a missing or deleted key has no tombstone", () => {
  const index = twoLives();
  expect(index.tombstone("foo", 12, 0)).toBe(false);
  expect(index.tombstone("bar", 12, 0)).toBe(false);
  expect(history(index)).toBe("3 4 6t 8 11t");
  expect(index.memory().keys).toBe(1);
});

test("a change that does not come after the key's last is a bug", () => {
  const index = new KeyIndex();
  index.put("foo", 5, 1);
  expect(() => index.put("foo", 5, 1)).toThrow(/after the key's last/);
  expect(() => index.tombstone("foo", 4, 9)).toThrow(/after the key's last/);
  expect(() => index.put("bar", 2 ** 53, 0)).toThrow(/2\^53/);
  expect(() => index.put("bar", 6, -1)).toThrow(/whole/);
  index.put("foo", 5, 2);
  expect(at(index, "foo", 5)).toEqual({ main: 5, sub: 2, create: 5, version: 2 });
});

test("revisions are exact up to 2^53", () => {
  const index = new KeyIndex();
  const last = Number.MAX_SAFE_INTEGER;
  for (let i = 9; i >= 0; i--) index.put("foo", last - i, 2 ** 31 - 1);
  expect(at(index, "foo", last - 5)).toEqual({
    main: last - 5,
    sub: 2 ** 31 - 1,
    create: last - 9,
    version: 5,
  });
  const sweep = index.compact(last - 2);
  sweep.finish();
  expect(sweep.kept.has(last - 2, 2 ** 31 - 1)).toBe(true);
});

test("ranges are half open, in byte order, and know etcd's two special ends", () => {
  const index = new KeyIndex();
  const keys = ["", "\0", "a", "a\0", "a/", "b", "\x7f", "\x80", "\xff", "\xff\xff"];
  for (const [i, key] of keys.toReversed().entries()) index.put(key, i + 2, 0);
  const range = (start: string, end: string): string[] => {
    const seen: string[] = [];
    index.range(start, end, Infinity, (key) => seen.push(key) > 0);
    expect(index.count(start, end, Infinity)).toBe(seen.length);
    return seen;
  };
  expect(range("a", "")).toEqual(["a"]);
  expect(range("c", "")).toEqual([]);
  expect(range("a", "b")).toEqual(["a", "a\0", "a/"]);
  expect(range("b", "a")).toEqual([]);
  expect(range("\x7f", FROM_KEY)).toEqual(keys.slice(6));
  expect(range(...ALL)).toEqual(keys.slice(1));
  expect(range("", FROM_KEY)).toEqual(keys);
});

test("what is written under a range is seen beyond the key it stands at", () => {
  const index = new KeyIndex();
  for (let i = 0; i < 500; i++) index.put(`k${String(i).padStart(4, "0")}`, i + 2, 0);
  const seen: string[] = [];
  let main = 1000;
  index.range(...ALL, Infinity, (key) => {
    seen.push(key);
    if (key.length === 5) {
      index.put(`${key}+`, main++, 0);
      index.put(`${key.slice(0, 2)}`, main++, 0);
    }
    return true;
  });
  expect(seen).toHaveLength(1000);
  expect(seen).toEqual(seen.toSorted());
});

test("changes since a revision: the last one of each transaction, over all lives", () => {
  const index = twoLives();
  index.put("foo", 12, 0);
  index.put("foo", 12, 4);
  index.put("goo", 4, 1);
  index.put("goo", 12, 2);
  const since = (start: string, end: string, from: number): string[] => {
    const seen: string[] = [];
    index.since(start, end, from, (key, main, sub, tombstone) => {
      return seen.push(`${key} ${main}_${sub}${tombstone ? "t" : ""}`) > 0;
    });
    return seen;
  };
  expect(since("foo", "", 6)).toEqual(["foo 6_0t", "foo 8_0", "foo 11_0t", "foo 12_4"]);
  expect(since("a", "z", 11)).toEqual(["foo 11_0t", "foo 12_4", "goo 12_2"]);
  expect(since("a", FROM_KEY, 13)).toEqual([]);
  const { mains, subs } = index.revisionsSince("f", FROM_KEY, 4);
  expect([...mains]).toEqual([4, 4, 6, 8, 11, 12, 12]);
  expect([...subs]).toEqual([0, 1, 0, 0, 0, 2, 4]);
});

test("a restart takes the first record of a key at its word", () => {
  const restore = new IndexRestore();
  restore.add(5, 0, true, "gone", 0, 0);
  restore.add(7, 2, false, "old", 3, 40);
  restore.add(9, 0, false, "old", 3, 41);
  restore.add(9, 1, false, "gone", 9, 1);
  expect(restore.add(10, 0, true, "old", 0, 0)).toBe(true);
  expect(restore.add(11, 0, true, "old", 0, 0)).toBe(false);
  const index = restore.finish();
  expect(index.liveKeys).toBe(1);
  expect(at(index, "old", 8)).toEqual({ main: 7, sub: 2, create: 3, version: 40 });
  expect(at(index, "old", 9)).toEqual({ main: 9, sub: 0, create: 3, version: 41 });
  expect(at(index, "old", 10)).toBeUndefined();
  expect(history(index, "gone")).toBe("5t 9");
  expect(at(index, "gone", 9)).toEqual({ main: 9, sub: 1, create: 9, version: 1 });
});

test("a pass is void once a compaction beyond it begins", () => {
  const index = twoLives();
  const keep = index.keep(8);
  const first = index.compact(8);
  expect(keep.step(0)).toBe("running");
  index.compact(9);
  expect(keep.step(1)).toBe("overtaken");
  expect(first.finish()).toBe("overtaken");
  expect(() => keep.kept).toThrow(/done/);
});

test("a pass by the clock ends its step when the time is over", () => {
  const index = new KeyIndex();
  for (let i = 0; i < 5000; i++) index.put(`key ${i}`, i + 2, 0);
  let now = 0;
  const clock = { nowMs: (): number => now++ };
  const sweep = index.compact(5001);
  let steps = 0;
  while (sweep.stepFor(3, clock) === "running") steps++;
  expect(steps).toBeGreaterThan(5);
  expect(sweep.kept.count).toBe(5000);
});

test("keys that come and go leave no memory behind", () => {
  const index = new KeyIndex();
  let main = 1;
  const generation = (from: number): void => {
    for (let i = from; i < from + 5000; i++) {
      for (let n = 0; n < 4; n++) index.put(`/registry/events/${i}`, ++main, 0);
      if (i % 2 === 0) index.tombstone(`/registry/events/${i}`, ++main, 0);
      if (i % 4 === 0) index.put(`/registry/events/${i}`, ++main, 0);
    }
    for (let i = from - 5000; i < from; i++) index.tombstone(`/registry/events/${i}`, ++main, 0);
    index.compact(++main).finish();
  };
  generation(100_000);
  generation(105_000);
  const before = index.memory();
  for (let from = 110_000; from < 200_000; from += 5000) generation(from);
  const after = index.memory();
  expect(after).toEqual({ ...before, slotBytes: after.slotBytes });
  expect(after.slotBytes).toBeLessThan(before.slotBytes * 1.5);
});

test("what compaction leaves of long histories moves to where it needs little", () => {
  const index = new KeyIndex();
  let main = 1;
  const write = (keys: string, puts: number): void => {
    for (let i = 0; i < 2000 * puts; i++) index.put(`${keys} ${i % 2000}`, ++main, 0);
  };
  write("a", 60);
  index.compact(main - 2000).finish();
  const before = index.memory();
  expect(before.revisions).toBe(4000);
  write("b", 50);
  expect(index.memory().revisionBytes).toBe(before.revisionBytes);
});

test("any history of a key, compacted anywhere, is what the rules say", () => {
  const changes = fc.array(fc.record({ gap: fc.nat({ max: 3 }), tombstone: fc.boolean() }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(changes, fc.array(fc.nat(), { maxLength: 4 }), (history, cuts) => {
      const index = new KeyIndex();
      const model = new KeyIndexModel();
      let main = 2;
      let sub = 0;
      for (const { gap, tombstone } of history) {
        main += gap;
        sub = gap === 0 ? sub + 1 : 0;
        if (!tombstone) {
          index.put("k", main, sub);
          model.put("k", main, sub);
        } else expect(index.tombstone("k", main, sub)).toBe(model.tombstone("k", main, sub));
      }
      let compacted = 0;
      for (const cut of cuts) {
        compacted += cut % (main - compacted + 1);
        const keep = index.keep(compacted);
        keep.finish();
        expect(mains(keep.kept)).toEqual(model.keep(compacted).map((one) => one.main));
        const compaction = index.compact(compacted);
        compaction.finish();
        expect(mains(compaction.kept)).toEqual(model.compact(compacted).map((one) => one.main));
        for (let rev = compacted; rev <= main + 1; rev++) {
          expect(at(index, "k", rev)).toEqual(model.get("k", rev));
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("the revisions of a range are found if it has few keys", () => {
  const index = new KeyIndex();
  for (const [i, key] of ["a", "b", "c", "a"].entries()) index.put(key, i + 2, 0);
  const few = (start: string, end: string, keysMax: number): number[] | undefined => {
    const set = index.revisionsOfFewSince(start, end, 3, keysMax);
    return set === undefined ? undefined : mains(set);
  };
  expect(few("a", "c", 2)).toEqual([3, 5]);
  expect(few("a", "c", 1)).toBeUndefined();
  expect(few("a", FROM_KEY, 3)).toEqual([3, 4, 5]);
  expect(few("a", FROM_KEY, 2)).toBeUndefined();
  expect(few("a", "", 0)).toEqual([5]);
  expect(few("x", "", 0)).toEqual([]);
});
