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
import { systemClock } from "../src/base/clock.ts";
import { IndexRestore } from "../src/mvcc/index-restore.ts";
import type { IndexSweep } from "../src/mvcc/index-sweep.ts";
import { type FoundRevision, FROM_KEY, KeyIndex } from "../src/mvcc/key-index.ts";

export const KEY_BYTES = 35;
const RANGE_KEYS = 100;
/** What one step of a sweep may take of the main loop. */
const STEP_MS = 2;

export interface Timing {
  readonly calls: number;
  readonly wallMs: number;
  /** Of all threads of the process, so with V8's collector: what a busy machine leaves comparable. */
  readonly cpuMs: number;
}

export interface KeyIndexFigures {
  readonly timings: Readonly<Record<string, Timing>>;
  /** Of keys with their first revision alone, and of the longest steps. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Of all the answers; the same in every round, and on every machine. */
  readonly digest: number;
}

/** `count` different keys of KEY_BYTES, one after the other, in random order. */
export function randomKeys(count: number): Buffer {
  const keys = Buffer.alloc(count * KEY_BYTES);
  for (let i = 0; i < count; i++) {
    const name = scrambled(i);
    const namespace = `${scrambled(name) % 1000}`.padStart(4, "0");
    const text = `/registry/pods/ns-${namespace}/pod-${name.toString(16).padStart(8, "0")}`;
    keys.write(text, i * KEY_BYTES, "latin1");
  }
  return keys;
}

/** A permutation of all 32-bit numbers (MurmurHash3's last step), so that no name comes twice. */
function scrambled(n: number): number {
  let h = n | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The order of the keys in which the round looks at them: every place once, none near the one before. */
export function scattered(i: number, count: number): number {
  return (i * 7_368_787) % count;
}

/**
 * What one index takes. To be measured before anything else in a process: what an earlier round has left behind would
 * be given back meanwhile, and counted against it.
 */
export function measureMemory(count: number): Record<string, number> {
  const collect = collector();
  const keys = randomKeys(count);
  collect();
  const heapBefore = heapBytes();
  const residentBefore = process.memoryUsage.rss();
  const index = new KeyIndex();
  for (let i = 0; i < count; i++) {
    index.put(keys.toString("latin1", i * KEY_BYTES, (i + 1) * KEY_BYTES), i + 2, 0);
  }
  collect();
  const bytes = heapBytes() - heapBefore;
  const residentBytes = process.memoryUsage.rss() - residentBefore;
  const { heapBytes: strings, revisionBytes, slotBytes } = index.memory();
  return {
    "bytes a key": bytes / count,
    "bytes a key, by its own estimate": (strings + revisionBytes + slotBytes) / count,
    "bytes a key, resident set": residentBytes / count,
  };
}

export function measureOnce(count: number): KeyIndexFigures {
  const collect = collector();
  const keys = randomKeys(count);
  const keyAt = (i: number): string => keys.toString("latin1", i * KEY_BYTES, (i + 1) * KEY_BYTES);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = scattered(i, count);
  const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
  const timings: Record<string, Timing> = {};
  let digest = 0;
  const note = (value: number): void => {
    digest = (Math.imul(digest, 31) + value) >>> 0;
  };

  const index = new KeyIndex();
  timings["insert, random"] = time(count, () => {
    for (let i = 0; i < count; i++) index.put(keyAt(i), i + 2, 0);
  });
  timings["full collection"] = time(1, collect);

  timings.get = time(count, () => {
    for (let i = 0; i < count; i++) {
      if (index.get(keyAt(order[i] as number), Infinity, found)) note(found.main);
    }
  });
  const ranges = Math.ceil(count / RANGE_KEYS);
  timings["range of 100"] = time(ranges, () => {
    for (let i = 0; i < ranges; i++) {
      let left = RANGE_KEYS;
      index.range(keyAt(order[i] as number), FROM_KEY, Infinity, (_, { main }) => {
        note(main);
        return --left > 0;
      });
    }
  });
  timings["put of a known key"] = time(count, () => {
    for (let i = 0; i < count; i++) index.put(keyAt(order[i] as number), count + i + 2, 0);
  });
  for (let i = 0; i < count; i += 10) index.tombstone(keyAt(i), 2 * count + i + 2, 0);
  const last = 3 * count + 2;
  const keep = index.keep(last);
  const [keepTiming, keepStepMs] = inSteps(keep, count);
  const compaction = index.compact(last);
  const [compactTiming, compactStepMs] = inSteps(compaction, count);
  timings["keep, by key"] = keepTiming;
  timings["compact, by key"] = compactTiming;
  note(keep.kept.count);
  note(compaction.kept.count);
  note(index.liveKeys);

  const sorted: string[] = [];
  index.range("\0", FROM_KEY, Infinity, (key) => sorted.push(key) > 0);
  const inOrder = new KeyIndex();
  timings["insert, in order"] = time(sorted.length, () => {
    for (let i = 0; i < sorted.length; i++) inOrder.put(sorted[i] as string, i + 2, 0);
  });
  note(inOrder.liveKeys);

  let restored = new KeyIndex();
  timings.restore = time(count, () => {
    const restore = new IndexRestore();
    for (let i = 0; i < count; i++) restore.add(i + 2, 0, false, keyAt(i), i + 2, 1);
    restored = restore.finish();
  });
  note(restored.count("\0", FROM_KEY, count));

  return {
    timings,
    sizes: {
      "longest step of keep, ms": keepStepMs,
      "longest step of compact, ms": compactStepMs,
    },
    digest,
  };
}

/** @returns what the whole pass took, and its longest step in milliseconds */
function inSteps(sweep: IndexSweep, keys: number): [Timing, number] {
  let longestMs = 0;
  const whole = time(keys, () => {
    while (sweep.state === "running") {
      const start = performance.now();
      sweep.stepFor(STEP_MS, systemClock);
      longestMs = Math.max(longestMs, performance.now() - start);
    }
  });
  return [whole, longestMs];
}

function time(calls: number, work: () => void): Timing {
  const start = performance.now();
  const cpu = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(cpu);
  return { calls, wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
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
  const memory = measureMemory(count);
  const all = Array.from({ length: rounds }, () => measureOnce(count));
  const first = all[0];
  if (first === undefined) throw new Error("there is no figure without a round");
  if (all.some(({ digest }) => digest !== first.digest)) throw new Error("the rounds differ");
  const timings = Object.entries(first.timings).map(([name, { calls }]): [string, Timing] => {
    const ofRounds = all.map((one) => one.timings[name] as Timing);
    const wallMs = median(ofRounds.map((one) => one.wallMs));
    return [name, { calls, wallMs, cpuMs: median(ofRounds.map((one) => one.cpuMs)) }];
  });
  const sizes = Object.keys(first.sizes).map((name): [string, number] => {
    return [name, median(all.map((one) => one.sizes[name] as number))];
  });
  return {
    timings: Object.fromEntries(timings),
    sizes: { ...memory, ...Object.fromEntries(sizes) },
    digest: first.digest,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function main(): void {
  const full = process.env.BENCH === "full";
  const count = full ? 1_000_000 : 2000;
  const { timings, sizes, digest } = measureKeyIndex(count, full ? 5 : 1);
  const rows = Object.entries(timings).map(([name, { calls, wallMs, cpuMs }]) => ({
    [`${count} keys`]: name,
    "wall ms": Math.round(wallMs),
    "CPU ms": Math.round(cpuMs),
    "a second, wall": Math.round((calls / wallMs) * 1000),
    "a second, CPU": Math.round((calls / cpuMs) * 1000),
  }));
  console.table(rows);
  for (const [name, value] of Object.entries(sizes)) console.log(`${name}: ${value.toFixed(1)}`);
  console.log({ node: process.version, digest });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
