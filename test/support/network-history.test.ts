import { expect, test } from "vitest";
import type { Kv } from "../conformance/client.ts";
import {
  type Event,
  History,
  type Operation,
  violations,
  type Watched,
} from "./network-history.ts";

function kv(key: string, value: string, modRevision: number, rest: Partial<Kv> = {}): Kv {
  return { key, value, modRevision, createRevision: modRevision, version: 1, lease: 0n, ...rest };
}

const A2 = kv("a", "1", 2);
const A3 = kv("a", "2", 3, { createRevision: 2, version: 2 });
const GONE = kv("a", "", 4, { createRevision: 0, version: 0 });
const put = (pair: Kv): Event => ({ type: "put", kv: pair });

function history(): History {
  const made = new History();
  expect(made.add(2, [put(A2)])).toEqual([]);
  expect(made.add(3, [put(A3)])).toEqual([]);
  expect(made.add(4, [{ type: "delete", kv: GONE }])).toEqual([]);
  return made;
}

function done(
  asked: Operation["asked"],
  at: readonly [startMs: number, endMs: number],
  revision: number,
  rest: Partial<NonNullable<Operation["answered"]>> = {},
): Operation {
  const answered = { revision, changed: true, kvs: [], before: undefined, ...rest };
  return { asked, startMs: at[0], endMs: at[1], answered };
}

const FIRST = done({ kind: "put", key: "a", value: "1" }, [0, 10], 2);
const SECOND = done({ kind: "put", key: "a", value: "2" }, [20, 30], 3, { before: A2 });
const LAST = done({ kind: "delete", key: "a" }, [40, 50], 4, { before: A3 });
const ALL = [FIRST, SECOND, LAST];

function wrong(operations: readonly Operation[], watches: readonly Watched[] = []): number {
  return violations(operations, history(), watches).length;
}

test("what was so is right", () => {
  const get = { kind: "get", key: "a", serializable: false } as const;
  const reads = [
    done(get, [15, 35], 3, { kvs: [A3] }),
    done(get, [15, 35], 2, { kvs: [A2] }),
    done(get, [60, 61], 4),
    done({ kind: "swap", key: "a", modRevision: 2, value: "x" }, [60, 61], 4, { changed: false }),
  ];
  expect(violations([...ALL, ...reads], history(), [])).toEqual([]);
  const unanswered = { ...FIRST, endMs: Number.POSITIVE_INFINITY, answered: undefined };
  const lost = { ...LAST, endMs: Number.POSITIVE_INFINITY, answered: undefined };
  expect(violations([unanswered, SECOND, lost], history(), [])).toEqual([]);
});

test("what was not so is found", () => {
  const get = { kind: "get", key: "a", serializable: false } as const;
  expect(wrong([SECOND, LAST]), "nobody asked for it").toBeGreaterThan(0);
  expect(wrong([...ALL, done({ kind: "put", key: "b", value: "9" }, [60, 70], 5)])).toBeGreaterThan(
    0,
  );
  expect(wrong([...ALL, done(get, [60, 70], 3, { kvs: [A3] })]), "stale").toBe(1);
  expect(wrong([...ALL, done({ ...get, serializable: true }, [60, 70], 3, { kvs: [A3] })])).toBe(0);
  expect(wrong([...ALL, done(get, [15, 35], 3, { kvs: [A2] })]), "not so then").toBe(1);
  expect(wrong([...ALL, done(get, [60, 70], 9)]), "of the future").toBeGreaterThan(0);
  expect(wrong([FIRST, { ...SECOND, startMs: 60, endMs: 70 }, LAST]), "out of order").toBe(1);
  const other = done({ kind: "put", key: "a", value: "3" }, [20, 30], 3, { before: A2 });
  expect(wrong([...ALL, other]), "a revision of two").toBeGreaterThan(0);
  expect(new History().add(3, [put(A3)]).length).toBeGreaterThan(0);
});

test("a watcher is told all of it, once, in order, in whole, and bookmarks hold", () => {
  const told = (...answers: readonly (readonly [revision: number, ...events: Event[]])[]): number =>
    wrong(ALL, [
      {
        name: "w",
        key: undefined,
        told: answers.map(([revision, ...events]) => ({ atMs: 0, life: 0, revision, events })),
      },
    ]);
  const gone: Event = { type: "delete", kv: GONE };
  expect(told([2, put(A2)], [2], [4, put(A3), gone], [4])).toBe(0);
  expect(told([2, put(A2)], [4, gone]), "not told of one").toBe(1);
  expect(told([2, put(A2)], [2, put(A2)], [3, put(A3)]), "told twice").toBeGreaterThan(0);
  expect(told([3, put(A3)], [3, put(A2)]), "out of order").toBeGreaterThan(0);
  expect(told([2, put(A2)], [3], [3, put(A3)]), "after its bookmark").toBe(1);
  expect(told([2, put(A2)], [3, put(A3), gone]), "an answer older than its events").toBe(1);
  expect(told([2, put({ ...A2, value: "x" })]), "another value").toBe(1);
});
