import fc from "fast-check";
import { expect, test } from "vitest";
import { Freelist } from "./freelist.ts";
import { PageBitmap } from "./page-bitmap.ts";

test("a bitmap is a set of numbers, and finds runs where a plain search does", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.nat(300)), { maxLength: 400 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(310),
      (operations, length, from) => {
        const bitmap = new PageBitmap(16);
        const model = new Set<number>();
        for (const [add, id] of operations) {
          if (add) {
            expect(bitmap.add(id)).toBe(!model.has(id));
            model.add(id);
          } else {
            expect(bitmap.delete(id)).toBe(model.delete(id));
          }
        }
        expect(bitmap.count).toBe(model.size);
        expect([...bitmap.ids()]).toEqual([...model].sort((a, b) => a - b));
        let start = -1;
        for (let at = from; at <= 300 && start === -1; at++) {
          if (Array.from({ length }, (_, i) => model.has(at + i)).every(Boolean)) start = at;
        }
        expect(bitmap.findRun(length, from)).toBe(start);
      },
    ),
  );
});

function listOf(...free: number[]): Freelist {
  const list = new Freelist();
  for (const id of free) list.addFree(id);
  return list;
}

test("allocation takes the lowest run that is long enough", () => {
  const list = listOf(3, 5, 6, 9, 10, 11);
  expect(list.allocate(1, 2, false)).toBe(5);
  expect(list.allocate(1, 3, false)).toBe(9);
  expect(list.allocate(1, 1, false)).toBe(3);
  expect(list.allocate(1, 1, false)).toBe(0);
});

test("pages freed by T are out of reach while a reader older than T is open", () => {
  const list = listOf();
  list.release(7, 20, 2);
  list.reclaim([6]);
  expect([list.freeCount, list.pendingCount]).toEqual([0, 3]);
  list.reclaim([7]);
  expect([list.freeCount, list.pendingCount]).toEqual([3, 0]);
  expect(list.allocate(8, 3, false)).toBe(20);
});

test("a page born and dead between two readers is free though an older reader is open", () => {
  const list = listOf(20, 21);
  expect(list.allocate(8, 1, true)).toBe(20);
  expect(list.allocate(8, 1, true)).toBe(21);
  list.commit();
  list.release(9, 20, 0);
  list.release(12, 21, 0);
  list.reclaim([5, 10]);
  expect([list.isFree(20), list.isFree(21)]).toEqual([true, false]);
  list.reclaim([5]);
  expect([list.isFree(20), list.isFree(21)]).toEqual([true, true]);
});

test("a page of unknown birth waits for the oldest reader", () => {
  const list = listOf();
  list.release(9, 30, 0);
  list.reclaim([5, 20]);
  expect(list.isFree(30)).toBe(false);
});

test("freeing twice is corruption, in the same transaction and in another", () => {
  const list = listOf(4);
  list.release(2, 9, 0);
  expect(() => list.release(2, 9, 0)).toThrow(/page 9 already freed/);
  expect(() => list.release(3, 9, 0)).toThrow(/page 9 already freed/);
  expect(() => list.release(3, 4, 0)).toThrow(/page 4 already freed/);
});

test("a rollback gives back what was taken and takes back what was freed", () => {
  const list = listOf(4, 5, 6);
  list.allocate(3, 2, true);
  list.release(3, 40, 1);
  list.rollback(3);
  expect([list.freeCount, list.pendingCount]).toEqual([3, 0]);
  expect(list.storedIds()).toEqual([4, 5, 6]);
  expect(list.allocate(4, 3, false)).toBe(4);
});

test("what is stored is free and pending together, in order", () => {
  const list = listOf(8, 3);
  list.release(5, 6, 1);
  expect(list.storedIds()).toEqual([3, 6, 7, 8]);
});
