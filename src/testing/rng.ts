import { invariant } from "../base/invariant.ts";

/** Chance that can be replayed: the same seed gives the same draws in the same order, on every machine. */
export interface Rng {
  /** 0 ≤ result < 2^32. */
  u32(): number;
  /** A whole number, 0 ≤ result < `n`; 1 ≤ `n` ≤ 2^32. */
  int(n: number): number;
  /** 0 ≤ result < 1, with 53 bits. */
  float(): number;
  /** True with probability `p`; always draws, so that changing `p` does not shift what follows. */
  bool(p?: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  bytes(n: number): Uint8Array;
  /** A new list of the same members; every order is equally likely. */
  shuffle<T>(list: readonly T[]): T[];
}

const TWO_32 = 2 ** 32;

/** Spreads a small seed over the state: neighbouring seeds must not give similar runs. */
function splitMix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/**
 * sfc32 (Chris Doty-Humphrey's PractRand): small, quick, and its failures are nowhere near what a test can notice.
 *
 * @param seed  its low 32 bits count; print it with every failure.
 */
export function rng(seed: number): Rng {
  const next = splitMix32(seed | 0);
  let a = next();
  let b = next();
  let c = next();
  let counter = 1;

  function u32(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  function int(n: number): number {
    invariant(Number.isInteger(n) && n >= 1 && n <= TWO_32, "a draw is from 1 to 2^32 values", {
      n,
    });
    return Math.floor((u32() / TWO_32) * n);
  }
  function float(): number {
    return ((u32() >>> 5) * 2 ** 26 + (u32() >>> 6)) / 2 ** 53;
  }

  for (let i = 0; i < 12; i++) u32(); // The first outputs still show the seed.
  return {
    u32,
    int,
    float,
    bool: (p = 0.5) => float() < p,
    pick<T>(list: readonly T[]): T {
      return list[int(list.length)] as T;
    },
    bytes(n: number): Uint8Array {
      const bytes = new Uint8Array(n);
      let word = 0;
      for (let i = 0; i < n; i++) {
        if (i % 4 === 0) word = u32();
        bytes[i] = word & 0xff;
        word >>>= 8;
      }
      return bytes;
    },
    shuffle<T>(list: readonly T[]): T[] {
      const mixed = [...list];
      for (let i = mixed.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T];
      }
      return mixed;
    },
  };
}
