/**
 * The benchmarks' workload, byte for byte that of test/judge/bench.go, which describes it: what both sides put, and
 * the digests by which a benchmark proves that both did the same work.
 */
import { createHash } from "node:crypto";

const NOISE_BYTES = 65536;
const NOISE_SEED = 0x9e3779b9;
const NOISE_STRIDE = 7919;
export const SUB_SPACE = 1000;
const UNDERSCORE = 0x5f;

export const REVISION_BYTES = 17;

/** Marsaglia's xorshift32: each call gives the next of 2^32 - 1 numbers. `seed` is any but 0. */
export function xorshift32(seed: number): () => number {
  let x = seed >>> 0;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x;
  };
}

/** Writes main, '_', sub at `offset`, as etcd's `key` bucket has them. Both below 2^53. */
export function setRevision(into: DataView, offset: number, main: number, sub: number): void {
  into.setUint32(offset, main / 2 ** 32);
  into.setUint32(offset + 4, main);
  into.setUint8(offset + 8, UNDERSCORE);
  into.setUint32(offset + 9, sub / 2 ** 32);
  into.setUint32(offset + 13, sub);
}

/** Values that do not compress and cost nothing to make: windows on one block, never copies. */
export class Noise {
  readonly #block: Uint8Array;
  readonly #valueBytes: number;

  constructor(valueBytes: number) {
    const bytes = NOISE_BYTES + valueBytes;
    const block = new DataView(new ArrayBuffer(bytes + 3));
    const next = xorshift32(NOISE_SEED);
    for (let i = 0; i < bytes; i += 4) block.setUint32(i, next(), true);
    this.#block = new Uint8Array(block.buffer);
    this.#valueBytes = valueBytes;
  }

  valueOf(i: number): Uint8Array {
    const start = (i * NOISE_STRIDE) % NOISE_BYTES;
    return this.#block.subarray(start, start + this.#valueBytes);
  }
}

export interface Put {
  readonly main: number;
  readonly sub: number;
  /** To be given to `Noise.valueOf`. */
  readonly value: number;
}

/** The puts of `fill`, in key order. */
export function* fillPuts(n: number): Generator<Put> {
  for (let i = 1; i <= n; i++) yield { main: i, sub: 0, value: i };
}

/** The puts of `random`. */
export function* randomPuts(n: number, keySpace: number, seed: number): Generator<Put> {
  const next = xorshift32(seed);
  for (let i = 0; i < n; i++) {
    const main = 1 + (next() % keySpace);
    yield { main, sub: next() % SUB_SPACE, value: i };
  }
}

/** The main revisions that `get` reads; sub is 0. */
export function* getMains(n: number, keySpace: number, seed: number): Generator<number> {
  const next = xorshift32(seed);
  for (let i = 0; i < n; i++) yield 1 + (next() % keySpace);
}

/** One step of the digest of reads. `firstOfValue` is 0 for an empty value. */
export function mixDigest(
  digest: number,
  keyBytes: number,
  valueBytes: number,
  firstOfKey: number,
  firstOfValue: number,
): number {
  return (Math.imul(digest, 31) + keyBytes + valueBytes + firstOfKey + firstOfValue) >>> 0;
}

/** A digest of reads as the judge prints it. */
export function showDigest(digest: number): string {
  return digest.toString(16).padStart(8, "0");
}

/** The digest of writes: SHA-256 over (u32be length, bytes) of each key and value in key order. */
export class ContentDigest {
  readonly #hash = createHash("sha256");
  readonly #length = new DataView(new ArrayBuffer(4));

  add(key: Uint8Array, value: Uint8Array): void {
    this.#part(key);
    this.#part(value);
  }

  /** Hex; the digest takes no more after it. */
  end(): string {
    return this.#hash.digest("hex");
  }

  #part(bytes: Uint8Array): void {
    this.#length.setUint32(0, bytes.length);
    this.#hash.update(new Uint8Array(this.#length.buffer)).update(bytes);
  }
}
