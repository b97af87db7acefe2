import { expect, test } from "vitest";
import { newSlab, PageCache } from "./page-cache.ts";

class Fake {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly length: number;
  constructor(id: number, bytes: Uint8Array, base: number, length: number) {
    this.id = id;
    this.bytes = bytes;
    this.base = base;
    this.length = length;
  }
  movedTo(bytes: Uint8Array, _view: DataView, base: number): Fake {
    return new Fake(this.id, bytes, base, this.length);
  }
  first(): number {
    return this.bytes[this.base] as number;
  }
}

const PAGE = 64;
const SLAB = 4 * PAGE;

function load(cache: PageCache<Fake>, id: number): Fake {
  const hit = cache.get(id);
  if (hit) return hit;
  const slab = cache.room();
  slab.bytes.fill(id & 0xff, cache.roomOffset, cache.roomOffset + PAGE);
  const page = new Fake(id, slab.bytes, cache.roomOffset, PAGE);
  cache.putInRoom(page);
  return page;
}

function small(): PageCache<Fake> {
  return new PageCache<Fake>({ pageBytes: PAGE, capacityBytes: 8 * SLAB, slabBytes: SLAB });
}

test("what it holds stays within the capacity, whatever passes through", () => {
  const cache = small();
  for (let i = 0; i < 10_000; i++) {
    load(cache, (i * 7919) % 3000);
    expect(cache.heldBytes).toBeLessThanOrEqual(8 * SLAB);
  }
});

test("a page in constant use survives a flood of others", () => {
  const cache = small();
  const hot = load(cache, 1);
  let misses = 0;
  for (let id = 100; id < 5000; id++) {
    if (cache.get(1) === undefined) misses++;
    load(cache, 1);
    load(cache, id);
  }
  expect(misses).toBe(0);
  expect(cache.get(100)).toBeUndefined();
  expect(hot.first()).toBe(1);
});

test("an evicted page's bytes stay true for whoever still holds them", () => {
  const cache = small();
  const held = Array.from({ length: 40 }, (_, i) => load(cache, i + 1));
  for (let id = 100; id < 1000; id++) load(cache, id);
  expect(held.map((page) => page.first())).toEqual(held.map((page) => page.id));
});

test("every page found is the page asked for, under random use with drops and adoptions", () => {
  const cache = small();
  let seed = 1;
  const next = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let i = 0; i < 20_000; i++) {
    const id = next(200) + 1;
    const what = next(20);
    if (what === 0) {
      cache.drop(id);
      expect(cache.get(id)).toBeUndefined();
    } else if (what === 1) {
      const slab = newSlab(3 * PAGE);
      const ids = [id, id + 1, id + 2];
      const pages = ids.map((own, k) => {
        slab.bytes.fill(own & 0xff, k * PAGE, (k + 1) * PAGE);
        return new Fake(own, slab.bytes, k * PAGE, PAGE);
      });
      cache.adopt(slab, pages);
      for (const own of ids) expect(cache.get(own)?.first()).toBe(own & 0xff);
    } else {
      const page = load(cache, id);
      expect([page.id, page.first()]).toEqual([id, id & 0xff]);
    }
  }
});

test("a page with overflow lies in memory of its own and goes as a whole", () => {
  const cache = small();
  const slab = newSlab(20 * PAGE);
  slab.bytes.fill(9);
  cache.adopt(slab, [new Fake(9, slab.bytes, 0, 20 * PAGE)]);
  expect(cache.get(9)?.length).toBe(20 * PAGE);
  for (let id = 100; id < 400; id++) load(cache, id);
  expect(cache.get(9)).toBeUndefined();
});

test("clear forgets everything", () => {
  const cache = small();
  load(cache, 5);
  cache.clear();
  expect(cache.get(5)).toBeUndefined();
  expect(cache.heldBytes).toBe(0);
  expect(load(cache, 6).first()).toBe(6);
});

test("what comes in by slabs of its own stays within the capacity too, and in use it stays", () => {
  const cache = small();
  load(cache, 1); // Into a slab that nobody fills further.
  for (let id = 100; id < 20_000; id += 3) {
    const slab = newSlab(3 * PAGE);
    const pages = [0, 1, 2].map((i) => new Fake(id + i, slab.bytes, i * PAGE, PAGE));
    cache.adopt(slab, pages);
    expect(cache.heldBytes).toBeLessThanOrEqual(8 * SLAB);
    if (id > 100) expect(cache.get(100)?.id).toBe(100);
  }
  expect(cache.get(1)).toBeUndefined();
  expect(cache.get(19_999)?.id).toBe(19_999);
});

test("memory that the cache gives up can be collected", async () => {
  const registered = 500;
  let collected = 0;
  const registry = new FinalizationRegistry<number>(() => collected++);
  const cache = small();
  for (let id = 1; id <= registered; id++) {
    const slab = newSlab(PAGE);
    registry.register(slab, id);
    cache.adopt(slab, [new Fake(id, slab.bytes, 0, PAGE)]);
  }
  // The collector need not hurry, but it must be able to: pressure until it did.
  for (let i = 0; i < 200 && collected < registered / 2; i++) {
    Array.from({ length: 100_000 }, (_, n) => ({ n }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(collected).toBeGreaterThanOrEqual(registered / 2);
  expect(cache.heldBytes).toBeGreaterThan(0);
});
