/** Keys and values of the store's benchmarks; test/judge/bench_store.go makes the same, byte for byte. */
import { mixDigest, Noise, xorshift32 } from "../../test/support/workload.ts";

export const KEY_BYTES = 17;
const DIGITS = 13;
/** Noise repeats its windows after this many. */
const WINDOWS = 65_536;

export function keyOf(i: number): string {
  return `key-${i.toString().padStart(DIGITS, "0")}`;
}

/** Value `i`, at no cost while the clock runs. */
export function valuesOf(valueBytes: number): (i: number) => Buffer {
  const noise = new Noise(valueBytes);
  const all = Array.from({ length: WINDOWS }, (_, i) => {
    const { buffer, byteOffset, length } = noise.valueOf(i);
    return Buffer.from(buffer, byteOffset, length);
  });
  return (i) => all[i % WINDOWS] as Buffer;
}

export interface ReadPlan {
  /** Keys in the store. */
  readonly keys: number;
  /** Keys that are read, evenly among them. */
  readonly hot: number;
  readonly gets: number;
}

export const READ_SEED = 54_321;

/** The keys to read, in order: strings that nobody has looked at before, as those of a request are. */
export function keysToRead({ keys, hot, gets }: ReadPlan): string[] {
  const next = xorshift32(READ_SEED);
  const stride = Math.floor(keys / hot);
  const bytes = Buffer.alloc(gets * KEY_BYTES);
  for (let i = 0; i < gets; i++) {
    bytes.write(keyOf((next() % hot) * stride), i * KEY_BYTES, "latin1");
  }
  return Array.from({ length: gets }, (_, i) =>
    bytes.toString("latin1", i * KEY_BYTES, (i + 1) * KEY_BYTES),
  );
}

/** One step of the digest of reads; a missing key adds nothing. */
export function mixRead(digest: number, key: string, value: Uint8Array | undefined): number {
  if (value === undefined) return digest;
  return mixDigest(digest, key.length, value.length, key.charCodeAt(0), value[0] ?? 0);
}

/** @param part  0 to 1 */
export function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN;
}
