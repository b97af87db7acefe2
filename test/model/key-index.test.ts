import { expect, test } from "vitest";
import { IndexRestore } from "../../src/mvcc/index-restore.ts";
import type { IndexSweep } from "../../src/mvcc/index-sweep.ts";
import { type FoundRevision, FROM_KEY, KeyIndex } from "../../src/mvcc/key-index.ts";
import type { RevisionSet } from "../../src/mvcc/revision-set.ts";
import { type Change, KeyIndexModel } from "../support/key-index-model.ts";
import { type Rng, rng } from "../support/rng.ts";

// The long mode: STRATA_ROUNDS=100000 makes some millions of operations a seed.
const seeds = process.env.STRATA_SEEDS
  ? process.env.STRATA_SEEDS.split(",").map(Number)
  : [1, 2, 3];
const rounds = Number(process.env.STRATA_ROUNDS ?? 400);

/** What a run is like: few keys with much history, or many with little. */
interface Shape {
  readonly keys: number;
  readonly changesMax: number;
  readonly tombstones: number;
  /** A compaction every so many rounds. */
  readonly compactEvery: number;
}

const SHAPES: readonly Shape[] = [
  { keys: 1, changesMax: 60, tombstones: 0.01, compactEvery: 40 },
  { keys: 12, changesMax: 4, tombstones: 0.4, compactEvery: 15 },
  { keys: 400, changesMax: 20, tombstones: 0.3, compactEvery: 60 },
  { keys: 3000, changesMax: 200, tombstones: 0.5, compactEvery: 100 },
];

class Run {
  readonly #random: Rng;
  readonly #shape: Shape;
  readonly #names: readonly string[];
  #index = new KeyIndex();
  #model = new KeyIndexModel();
  #current = 1;
  #compacted = 0;

  constructor(seed: number, shape: Shape) {
    this.#random = rng(seed);
    this.#shape = shape;
    const letters = ["\0", "a", "b", "/", "\x7f", "\xff"];
    const names = new Set(["", "\0", "a", "a\0", "\xff"]);
    while (names.size < shape.keys + 5) {
      const length = 1 + this.#random.int(this.#random.bool(0.1) ? 60 : 8);
      names.add(Array.from({ length }, () => this.#random.pick(letters)).join(""));
    }
    this.#names = [...names];
  }

  round(): void {
    this.#transaction();
    for (let i = this.#random.int(4); i > 0; i--) this.#read();
    if (this.#random.int(this.#shape.compactEvery) === 0) this.#compact();
    if (this.#random.int(this.#shape.compactEvery) === 0) this.#keep();
    if (this.#random.int(this.#shape.compactEvery * 2) === 0) this.#restart();
  }

  #transaction(): void {
    const main = this.#current + 1;
    let sub = 0;
    for (let i = 1 + this.#random.int(this.#shape.changesMax); i > 0; i--) {
      const key = this.#random.pick(this.#names);
      if (this.#random.bool(this.#shape.tombstones)) {
        const done = this.#model.tombstone(key, main, sub);
        expect(this.#index.tombstone(key, main, sub)).toBe(done);
        if (done) sub++;
      } else {
        this.#model.put(key, main, sub);
        this.#index.put(key, main, sub);
        sub++;
      }
    }
    if (sub > 0) this.#current = main;
  }

  /** A revision that may be read. */
  #revision(): number {
    if (this.#random.bool(0.2)) return Infinity;
    return this.#compacted + this.#random.int(this.#current - this.#compacted + 2);
  }

  #read(): void {
    const random = this.#random;
    const atRev = this.#revision();
    const start = random.pick(this.#names);
    const end = random.pick([random.pick(this.#names), FROM_KEY, ""]);
    const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
    const there = this.#index.get(start, atRev, found);
    expect(there ? found : undefined).toEqual(this.#model.get(start, atRev));
    if (random.int(4) === 0) {
      const range = this.#model.range(start, end, atRev);
      const limit = random.bool() ? range.length + 1 : 1 + random.int(range.length + 1);
      const seen: object[] = [];
      this.#index.range(start, end, atRev, (key, at) => {
        seen.push({ key, ...at });
        return seen.length < limit;
      });
      expect(seen).toEqual(range.slice(0, limit));
      expect(this.#index.count(start, end, atRev)).toBe(range.length);
    }
    if (random.int(10) === 0) {
      const seen: object[] = [];
      this.#index.since(start, end, atRev, (key, main, sub, tombstone) => {
        return seen.push({ key, main, sub, tombstone }) > 0;
      });
      expect(seen).toEqual(this.#model.since(start, end, atRev));
    }
  }

  #compact(): void {
    const { int } = this.#random;
    const revision = this.#compacted + 1 + int(this.#current - this.#compacted + 1);
    if (revision > this.#current) return;
    const kept = this.#model.compact(revision);
    this.#compacted = revision;
    const sweep = this.#index.compact(revision);
    this.#step(sweep, kept.length);
    expect(list(sweep.kept)).toEqual(kept);
    for (const { main, sub } of kept.slice(0, 20)) {
      expect(sweep.kept.has(main, sub)).toBe(true);
      expect(sweep.kept.has(main, sub + 1)).toBe(
        kept.some((k) => k.main === main && k.sub === sub + 1),
      );
    }
    const { keys, liveKeys, revisions } = this.#index.memory();
    expect({ keys, liveKeys, revisions }).toEqual({
      keys: this.#model.keys.size,
      liveKeys: this.#model.liveKeys,
      revisions: this.#model.revisions,
    });
  }

  /** Wherever compaction stands, the keep set above it is the same. */
  #keep(atOnce = false): void {
    const revision = this.#compacted + this.#random.int(this.#current - this.#compacted + 1);
    const expected = this.#model.keep(revision);
    const sweep = this.#index.keep(revision);
    if (atOnce) sweep.finish();
    else this.#step(sweep, expected.length);
    expect(list(sweep.kept)).toEqual(expected);
  }

  /** To the end, at once or with writes and reads in between. */
  #step(sweep: IndexSweep, kept: number): void {
    if (this.#random.bool(0.3)) sweep.finish();
    const work = 1 + Math.ceil((this.#shape.keys + kept) / (1 + this.#random.int(30)));
    while (sweep.step(1 + this.#random.int(work)) === "running") {
      this.#transaction();
      this.#read();
      if (this.#random.int(20) === 0) this.#keep(true);
    }
  }

  #restart(): void {
    this.#model = this.#model.restarted();
    const restore = new IndexRestore();
    for (const { main, sub, tombstone, key, create, version } of this.#model.disk) {
      restore.add(main, sub, tombstone, key, create, version);
    }
    this.#index = restore.finish();
    expect(this.#index.liveKeys).toBe(this.#model.liveKeys);
  }
}

function list(set: RevisionSet): Change[] {
  const { mains, subs } = set;
  return Array.from(mains, (main, i) => ({ main, sub: subs[i] as number }));
}

for (const seed of seeds) {
  for (const [i, shape] of SHAPES.entries()) {
    const count = Math.ceil(rounds / Math.sqrt(shape.changesMax));
    test(
      `random changes, reads, compactions and restarts agree with the rules: seed ${seed}, shape ${i}`,
      () => {
        const run = new Run(seed * 100 + i, shape);
        for (let round = 0; round < count; round++) run.round();
      },
      60_000 + rounds * 20,
    );
  }
}
