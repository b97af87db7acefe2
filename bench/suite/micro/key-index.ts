/** The key index, with keys like Kubernetes' own; each call makes its string from a buffer, as a request does. */
import { type FoundRevision, FROM_KEY, KeyIndex } from "../../../src/mvcc/key-index.ts";
import { KEY_BYTES, measureMemory, randomKeys, scattered } from "../../key-index.ts";
import { OURS, type Size } from "../question.ts";
import { keysSize, type MicroCase, perSecond, sizesOf, type Work } from "./micro-case.ts";

const SIZES = sizesOf((keys) => keysSize(keys), 10_000, 100_000, 1_000_000);

function keysOf(count: number): (i: number) => string {
  const keys = randomKeys(count);
  return (i) => keys.toString("latin1", i * KEY_BYTES, (i + 1) * KEY_BYTES);
}

function filled(keys: number, keyAt: (i: number) => string): KeyIndex {
  const index = new KeyIndex();
  for (let i = 0; i < keys; i++) index.put(keyAt(i), i + 2, 0);
  return index;
}

function get({ keys }: Size): Work {
  const keyAt = keysOf(keys);
  const index = filled(keys, keyAt);
  const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
  return perSecond(keys, () => {
    let digest = 0;
    for (let i = 0; i < keys; i++) {
      if (index.get(keyAt(scattered(i, keys)), Infinity, found)) {
        digest = (Math.imul(digest, 31) + found.main) >>> 0;
      }
    }
    return digest;
  });
}

function insertRandom({ keys }: Size): Work {
  const keyAt = keysOf(keys);
  return perSecond(keys, () => filled(keys, keyAt).liveKeys);
}

function insertInOrder({ keys }: Size): Work {
  const sorted: string[] = [];
  filled(keys, keysOf(keys)).range("\0", FROM_KEY, Infinity, (key) => sorted.push(key) > 0);
  const bytes = Buffer.from(sorted.join(""), "latin1");
  const keyAt = (i: number): string => bytes.toString("latin1", i * KEY_BYTES, (i + 1) * KEY_BYTES);
  return perSecond(keys, () => filled(keys, keyAt).liveKeys);
}

/** Measured before there is anything else in the process, so before any call. */
function memory({ keys }: Size): Work {
  const { "bytes a key": bytes = Number.NaN } = measureMemory(keys);
  return { run: () => keys, figure: () => bytes };
}

const COMMON = { better: "more", sizes: SIZES } as const;

export const KEY_INDEX: readonly MicroCase[] = [
  {
    ...COMMON,
    name: "memory/key-index/get",
    about: "look-ups of random keys of 35 bytes",
    unit: "gets/s",
    goal: { kind: "value", atLeast: 600_000 },
    subjects: { [OURS]: get },
  },
  {
    ...COMMON,
    name: "memory/key-index/insert-random",
    about: "random keys of 35 bytes put into an empty index",
    unit: "puts/s",
    goal: { kind: "value", atLeast: 200_000 },
    subjects: { [OURS]: insertRandom },
  },
  {
    ...COMMON,
    name: "memory/key-index/insert-in-order",
    about: "keys of 35 bytes put into an empty index in their order",
    unit: "puts/s",
    goal: { kind: "value", atLeast: 200_000 },
    subjects: { [OURS]: insertInOrder },
  },
  {
    name: "memory/key-index/memory",
    about: "what a key of 35 bytes takes of the heap and its buffers, with its first revision",
    unit: "bytes a key",
    better: "less",
    goal: { kind: "value", atMost: 150 },
    sizes: SIZES,
    subjects: { [OURS]: memory },
  },
];
