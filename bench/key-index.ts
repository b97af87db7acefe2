/**
 * How fast is the key index, and what does a key cost in memory? Keys are like Kubernetes' own, 35 random bytes; each
 * call makes its string from a buffer, as a request does.
 *
 *   npm run build && node dist/bench/key-index.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/key-index.js   a million keys, the median of 5 rounds
 */
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { latin1 } from "../src/base/bytes.ts";
import { systemClock } from "../src/base/clock.ts";
import { IndexRestore } from "../src/mvcc/index-restore.ts";
import type { IndexSweep } from "../src/mvcc/index-sweep.ts";
import { type FoundRevision, FROM_KEY, KeyIndex } from "../src/mvcc/key-index.ts";

const KEY_BYTES = 35;
const RANGE_KEYS = 100;
/** What one step of a sweep may take of the main loop. */
const STEP_MS = 2;

export interface KeyIndexFigures {
  /** Thousands a second. */
  readonly insertRandom: number;
  readonly insertOrdered: number;
  readonly update: number;
  readonly get: number;
  readonly rangeOf100: number;
  /** Bytes, with nothing but the first revision of each key: V8's heap and typed arrays; the resident set. */
  readonly bytesPerKey: number;
  readonly residentBytesPerKey: number;
  /** What `memory()` believes of the same. */
  readonly estimatedBytesPerKey: number;
  readonly fullGcMs: number;
  readonly restoreMs: number;
  /** Of two revisions a key, one of ten keys deleted: all of it, and the longest step. */
  readonly compactMs: number;
  readonly compactStepMs: number;
  readonly keepMs: number;
  readonly keepStepMs: number;
  /** Of all the answers; the same in every round, and on every machine. */
  readonly digest: number;
}

/** `count` different keys, one after the other, in random order. */
function randomKeys(count: number): Uint8Array {
  const keys = Buffer.alloc(count * KEY_BYTES);
  const shift = Math.floor(count / 2);
  for (let i = 0; i < count; i++) {
    // An odd factor makes a permutation of 2^32, so that no name comes twice.
    const name = Math.imul(i + shift, 0x9e37_79b1) >>> 0;
    const namespace = (Math.imul(name, 0x85eb_ca6b) >>> 16) % 1000;
    const text = `/registry/pods/ns-${`${namespace}`.padStart(4, "0")}/pod-${name.toString(16).padStart(8, "0")}`;
    keys.write(text, i * KEY_BYTES, "latin1");
  }
  return keys;
}

/** The order of the keys in which the round looks at them: every place once, none near the one before. */
function scattered(i: number, count: number): number {
  return (i * 7_368_787) % count;
}

export function measureOnce(count: number): KeyIndexFigures {
  const collect = collector();
  const keys = randomKeys(count);
  const keyAt = (i: number): string => latin1(keys, i * KEY_BYTES, (i + 1) * KEY_BYTES);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = scattered(i, count);
  const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
  let digest = 0;
  const note = (value: number): void => {
    digest = (Math.imul(digest, 31) + value) >>> 0;
  };
  const perSecond = (calls: number, ms: number): number => calls / ms;

  collect();
  const heapBefore = heapBytes();
  const residentBefore = process.memoryUsage.rss();
  const index = new KeyIndex();
  const insertMs = time(() => {
    for (let i = 0; i < count; i++) index.put(keyAt(i), i + 2, 0);
  });
  const fullGcMs = time(collect);
  const bytesPerKey = (heapBytes() - heapBefore) / count;
  const residentBytesPerKey = (process.memoryUsage.rss() - residentBefore) / count;
  const { heapBytes: heapEstimate, columnBytes } = index.memory();

  const getMs = time(() => {
    for (let i = 0; i < count; i++) {
      if (index.get(keyAt(order[i] as number), Infinity, found)) note(found.main);
    }
  });
  const ranges = Math.ceil(count / RANGE_KEYS);
  const rangeMs = time(() => {
    for (let i = 0; i < ranges; i++) {
      let left = RANGE_KEYS;
      index.range(keyAt(order[i] as number), FROM_KEY, Infinity, (_, { main }) => {
        note(main);
        return --left > 0;
      });
    }
  });
  const updateMs = time(() => {
    for (let i = 0; i < count; i++) index.put(keyAt(order[i] as number), count + i + 2, 0);
  });
  for (let i = 0; i < count; i += 10) index.tombstone(keyAt(i), 2 * count + i + 2, 0);
  const keep = inSteps(index.keep(3 * count + 2));
  note(keep.kept);
  const compact = inSteps(index.compact(3 * count + 2));
  note(compact.kept);
  note(index.liveKeys);

  const sorted: string[] = [];
  index.range("\0", FROM_KEY, Infinity, (key) => sorted.push(key) > 0);
  const inOrder = new KeyIndex();
  const orderedMs = time(() => {
    for (let i = 0; i < sorted.length; i++) inOrder.put(sorted[i] as string, i + 2, 0);
  });
  note(inOrder.liveKeys);

  let restored: KeyIndex | undefined;
  const restoreMs = time(() => {
    const restore = new IndexRestore();
    for (let i = 0; i < count; i++) restore.add(i + 2, 0, false, keyAt(i), i + 2, 1);
    restored = restore.finish();
  });
  note(restored?.count("\0", FROM_KEY, count) ?? 0);

  return {
    insertRandom: perSecond(count, insertMs),
    insertOrdered: perSecond(sorted.length, orderedMs),
    update: perSecond(count, updateMs),
    get: perSecond(count, getMs),
    rangeOf100: perSecond(ranges, rangeMs),
    bytesPerKey,
    residentBytesPerKey,
    estimatedBytesPerKey: (heapEstimate + columnBytes) / count,
    fullGcMs,
    restoreMs,
    compactMs: compact.ms,
    compactStepMs: compact.longestMs,
    keepMs: keep.ms,
    keepStepMs: keep.longestMs,
    digest,
  };
}

function inSteps(sweep: IndexSweep): { ms: number; longestMs: number; kept: number } {
  let ms = 0;
  let longestMs = 0;
  while (sweep.state === "running") {
    const step = time(() => sweep.stepFor(STEP_MS, systemClock));
    ms += step;
    longestMs = Math.max(longestMs, step);
  }
  return { ms, longestMs, kept: sweep.kept.count };
}

/** Milliseconds. */
function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** What forces a full collection; the flag works at run time too. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function heapBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Figure by figure the median over the rounds. @throws Error if two rounds did not do the same work */
export function measureKeyIndex(count: number, rounds: number): KeyIndexFigures {
  const all = Array.from({ length: rounds }, () => measureOnce(count));
  const first = all[0];
  if (first === undefined) throw new Error("there is no figure without a round");
  if (all.some(({ digest }) => digest !== first.digest)) throw new Error("the rounds differ");
  const names = Object.keys(first) as (keyof KeyIndexFigures)[];
  const entries = names.map((name) => [name, median(all.map((one) => one[name]))]);
  return Object.fromEntries(entries) as KeyIndexFigures;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function main(): void {
  const full = process.env.BENCH === "full";
  const count = full ? 1_000_000 : 2000;
  const { digest, ...figures } = measureKeyIndex(count, full ? 5 : 1);
  const table = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.round(value * 10) / 10]),
  );
  console.log(`key index of ${count} keys; speeds in thousands a second`);
  console.table(table);
  console.log({ node: process.version, digest });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
