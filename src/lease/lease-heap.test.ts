import { expect, test } from "vitest";
import { rng } from "../../test/support/rng.ts";
import { LeaseHeap, type Slotted } from "./lease-heap.ts";

test.each([1, 2, 3, 4])(
  "the soonest is first, whatever was moved or taken out, seed %i",
  (seed) => {
    const chance = rng(seed);
    const heap = new LeaseHeap<Slotted>();
    const items = Array.from({ length: 150 }, (_, slot): Slotted => ({ slot }));
    const times = new Map<Slotted, number>();
    for (let step = 0; step < 5000; step++) {
      const item = chance.pick(items);
      if (chance.bool(0.6)) {
        const time = chance.int(100);
        heap.set(item, time);
        times.set(item, time);
      } else {
        heap.delete(item);
        times.delete(item);
      }
      expect(heap.size).toBe(times.size);
      expect(heap.has(item)).toBe(times.has(item));
      expect(heap.firstMs).toBe(Math.min(...times.values()));
      if (heap.first !== undefined) expect(times.get(heap.first)).toBe(heap.firstMs);
    }
    const drained: number[] = [];
    for (let item = heap.first; item !== undefined; item = heap.first) {
      drained.push(heap.firstMs);
      heap.delete(item);
    }
    expect(drained).toEqual([...times.values()].sort((a, b) => a - b));
  },
);
