/**
 * A page file that cannot be wrong: nested maps of latin1 strings. And random work that is done to both, in sizes that
 * force splits, merges, overflow, inline and paged buckets, and buckets inside buckets.
 */
import { expect } from "vitest";
import { latin1 } from "../../src/base/bytes.ts";
import type { Bucket } from "../../src/pagefile/bucket.ts";
import type { ReadTx, WriteTx } from "../../src/pagefile/tx.ts";
import type { Rng } from "./rng.ts";

export class ModelBucket {
  sequence = 0n;
  readonly entries: Map<string, Uint8Array | ModelBucket> = new Map();

  clone(): ModelBucket {
    const copy = new ModelBucket();
    copy.sequence = this.sequence;
    for (const [key, value] of this.entries) {
      copy.entries.set(key, value instanceof ModelBucket ? value.clone() : value);
    }
    return copy;
  }

  sortedKeys(): string[] {
    return [...this.entries.keys()].sort(byBytes);
  }
}

/** Latin1 strings sort by code unit, which is by byte. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A transaction on the root: only its buckets can be written. */
export type Root = WriteTx;

export interface Shape {
  /** Keys are drawn from this many. */
  readonly keySpace: number;
  readonly valueBytesMax: number;
  /** Of 100 operations on keys, how many delete. */
  readonly deletePercent: number;
}

export const SHAPES: readonly Shape[] = [
  { keySpace: 40, valueBytesMax: 30, deletePercent: 40 },
  { keySpace: 3000, valueBytesMax: 120, deletePercent: 20 },
  { keySpace: 3000, valueBytesMax: 120, deletePercent: 70 },
  { keySpace: 400, valueBytesMax: 9000, deletePercent: 30 },
  { keySpace: 100_000, valueBytesMax: 20, deletePercent: 10 },
];

function keyOf(n: number, random: Rng): Uint8Array {
  // Mostly short, some with a long common beginning, a few longer than a small page.
  const kind = n % 16;
  const tail = `k${n.toString(36)}`;
  if (kind === 0) return bytes(`${"/registry/pods/default/".repeat(3)}${tail}`);
  if (kind === 1 && random.bool(0.05)) return bytes(tail + "x".repeat(random.int(3000)));
  if (kind === 2) return new Uint8Array([n & 0xff, 0, (n >> 8) & 0xff, 0xff]);
  return bytes(tail);
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** One random transaction's worth of work on `tx` and on `model`. */
export function workOn(tx: Root, model: ModelBucket, random: Rng, shape: Shape): void {
  const names = ["a", "b", "key", "meta", "z"];
  if (random.int(4) === 0) pruneSome(tx, model, random);
  const operations = random.pick([1, 3, 10, 60, 400]);
  for (let i = 0; i < operations; i++) {
    const name = random.pick(names);
    const at = bytes(name);
    const known = model.entries.get(name);
    if (!(known instanceof ModelBucket)) {
      tx.createBucket(at);
      model.entries.set(name, new ModelBucket());
    } else if (random.int(400) === 0) {
      tx.deleteBucket(at);
      model.entries.delete(name);
    } else {
      workOnBucket(tx.bucket(at) as Bucket, known, random, shape, 1);
    }
  }
}

/** Takes keys out of a bucket at once; before anything else is done to it. */
function pruneSome(tx: Root, model: ModelBucket, random: Rng): void {
  const names = model.sortedKeys();
  if (names.length === 0) return;
  const name = random.pick(names);
  const { entries } = model.entries.get(name) as ModelBucket;
  const keys = [...entries.keys()].sort(byBytes);
  const from = random.bool() || keys.length === 0 ? "" : random.pick(keys);
  const goesPercent = random.pick([0, 5, 50, 95, 100]);
  const stopPercent = random.pick([0, 0, 1]);
  const enoughPercent = random.pick([0, 0, 10]);
  const asked: string[] = [];
  const goes: string[] = [];
  const gone = (tx.bucket(bytes(name)) as Bucket).prune(bytes(from), {
    judge: (at, _, keyOffset, keyBytes) => {
      const key = latin1(at.subarray(keyOffset, keyOffset + keyBytes));
      asked.push(key);
      if (random.int(100) < stopPercent) return "stop";
      if (random.int(100) >= goesPercent) return "stays";
      goes.push(key);
      return "goes";
    },
    isEnough: () => random.int(100) < enoughPercent,
  });
  const expected = keys.filter((key) => key >= from && entries.get(key) instanceof Uint8Array);
  expect(asked).toEqual(expected.slice(0, asked.length));
  if (stopPercent + enoughPercent === 0) expect(asked).toHaveLength(expected.length);
  expect(gone).toBe(goes.length);
  for (const key of goes) entries.delete(key);
}

function workOnBucket(
  bucket: Bucket,
  model: ModelBucket,
  random: Rng,
  shape: Shape,
  depth: number,
): void {
  const what = random.int(100);
  if (what < 6 && depth < 4) {
    const name = bytes(`bucket-${random.int(4)}`);
    const known = model.entries.get(latin1(name));
    if (known === undefined) {
      bucket.createBucket(name);
      model.entries.set(latin1(name), new ModelBucket());
    } else if (known instanceof ModelBucket) {
      if (random.int(12) === 0) {
        bucket.deleteBucket(name);
        model.entries.delete(latin1(name));
      } else {
        const inner = bucket.bucket(name) as Bucket;
        for (let i = random.int(30); i >= 0; i--)
          workOnBucket(inner, known, random, shape, depth + 1);
      }
    }
  } else if (what < 8) {
    model.sequence = bucket.nextSequence();
  } else if (what < 10) {
    bucket.fillPercent = random.pick([0.1, 0.5, 0.9, 1]);
  } else if (random.int(100) < shape.deletePercent) {
    const key = keyOf(random.int(shape.keySpace), random);
    const known = model.entries.get(latin1(key));
    if (known instanceof ModelBucket) return;
    expect(bucket.delete(key)).toBe(model.entries.delete(latin1(key)));
  } else {
    const key = keyOf(random.int(shape.keySpace), random);
    if (model.entries.get(latin1(key)) instanceof ModelBucket) return;
    const value = random.bytes(
      random.int(random.bool(0.1) ? shape.valueBytesMax : Math.ceil(shape.valueBytesMax / 4)),
    );
    bucket.put(key, value);
    model.entries.set(latin1(key), value);
  }
}

/** A run of keys in order, as a log or a bulk load writes them. */
export function appendTo(tx: Root, model: ModelBucket, random: Rng, count: number): void {
  const name = "append";
  const bucket = tx.createBucketIfNotExists(bytes(name));
  let inner = model.entries.get(name);
  if (!(inner instanceof ModelBucket)) {
    inner = new ModelBucket();
    model.entries.set(name, inner);
  }
  bucket.fillPercent = 0.9;
  const from = inner.entries.size;
  for (let i = 0; i < count; i++) {
    const key = (from + i).toString().padStart(12, "0");
    const value = random.bytes(random.int(300));
    bucket.put(bytes(key), value);
    inner.entries.set(key, value);
  }
}

/** Asserts that a transaction sees exactly what the model holds: forward, backward, by get and by seek. */
export function expectSame(tx: ReadTx | WriteTx, model: ModelBucket, random: Rng): void {
  const names = [...tx.buckets()].map(({ name }) => latin1(name));
  expect(names).toEqual(model.sortedKeys());
  for (const name of names) {
    expectSameBucket(
      tx.bucket(bytes(name)) as Bucket,
      model.entries.get(name) as ModelBucket,
      random,
    );
  }
}

function expectSameBucket(bucket: Bucket, model: ModelBucket, random: Rng): void {
  expect(bucket.sequence).toBe(model.sequence);
  const keys = model.sortedKeys();
  const cursor = bucket.cursor();
  let i = 0;
  for (let more = cursor.first(); more; more = cursor.next(), i++) {
    const key = keys[i] as string;
    if (latin1(cursor.key()) !== key) expect(latin1(cursor.key())).toBe(key);
    const expected = model.entries.get(key);
    if (expected instanceof ModelBucket) {
      expect(cursor.isBucket).toBe(true);
      expect(bucket.get(bytes(key))).toBeUndefined();
      expectSameBucket(bucket.bucket(bytes(key)) as Bucket, expected, random);
    } else if (Buffer.compare(cursor.value() ?? bytes("none"), expected as Uint8Array) !== 0) {
      expect(cursor.value()).toEqual(expected);
    }
  }
  expect(i).toBe(keys.length);
  for (let more = cursor.last(); more; more = cursor.prev()) {
    i--;
    if (latin1(cursor.key()) !== keys[i]) expect(latin1(cursor.key())).toBe(keys[i]);
  }
  expect(i).toBe(0);
  for (let tries = 0; tries < 20; tries++) {
    const wanted = keyOf(random.int(4000), random);
    const value = bucket.get(wanted);
    const expected = model.entries.get(latin1(wanted));
    expect(value === undefined ? undefined : latin1(value)).toBe(
      expected instanceof Uint8Array ? latin1(expected) : undefined,
    );
    const next = keys.find((key) => key >= latin1(wanted));
    expect(cursor.seek(wanted) ? latin1(cursor.key()) : undefined).toBe(next);
  }
}
