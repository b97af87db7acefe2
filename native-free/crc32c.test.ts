import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type Crc32c,
  combine,
  crc32c,
  createCrc32cArena,
  createTableCrc32c,
  createWasmCrc32c,
} from "./crc32c.ts";

/** The textbook: one bit at a time, then one byte at a time. Shares nothing with what it judges. */
const BYTE_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) * 0x82f63b78);
  return register;
});

function zeroByte(register: number): number {
  return ((BYTE_TABLE[register & 0xff] as number) ^ (register >>> 8)) >>> 0;
}

/** result[n] is the CRC of the first n bytes, continuing from `crc`. */
function referencePrefixes(bytes: Uint8Array, crc = 0): Uint32Array {
  const prefixes = new Uint32Array(bytes.length + 1);
  let register = ~crc >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    prefixes[i] = ~register;
    register = zeroByte((register ^ (bytes[i] as number)) >>> 0);
  }
  prefixes[bytes.length] = ~register;
  return prefixes;
}

function reference(bytes: Uint8Array, crc = 0): number {
  return referencePrefixes(bytes, crc)[bytes.length] as number;
}

function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** Around each length at which an implementation turns to other code, and beyond the last. */
const BORDERS: readonly number[] = [
  4096,
  8192,
  8192 + 266,
  2 * 8192 + 266,
  65_536,
  131_072,
  300_000,
];
const LENGTHS: readonly number[] = [
  ...Array.from({ length: 2001 }, (_, length) => length),
  ...BORDERS.flatMap((border) => [-65, -64, -17, -1, 0, 1, 15, 63, 64].map((d) => border + d)),
];
const LENGTH_MAX = Math.max(...LENGTHS);

function describeCrc32c(name: string, subject: Crc32c): void {
  describe(`CRC-32C by ${name}`, () => {
    test.each([
      ["nothing", new Uint8Array(0), 0],
      ["123456789", ascii("123456789"), 0xe3069283],
      ["32 zeros (RFC 3720 B.4)", new Uint8Array(32), 0x8a9136aa],
      ["32 ones (RFC 3720 B.4)", new Uint8Array(32).fill(0xff), 0x62a8ab43],
      ["32 rising (RFC 3720 B.4)", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
      ["32 falling (RFC 3720 B.4)", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
      [
        "an iSCSI read command (RFC 3720 B.4)",
        Uint8Array.from(
          Buffer.from(
            "01c00000000000000000000000000000140000000000040000000014000000182800000000000000" +
              "0200000000000000",
            "hex",
          ),
        ),
        0xd9963a56,
      ],
    ])("the known CRC of %s", (_, bytes, crc) => {
      expect(subject.crc32c(bytes)).toBe(crc);
      const arena = subject.createArena(bytes.length);
      arena.bytes.set(bytes);
      expect(arena.crc(0, bytes.length)).toBe(crc);
    });

    // One comparison per alignment: two million calls of expect would take minutes.
    test.each([0, 0xdeadbeef])("every length at every alignment, continuing from %i", (crc) => {
      const bytes = noise(LENGTH_MAX + 16);
      const arena = subject.createArena(bytes.length);
      arena.bytes.set(bytes);
      for (let start = 0; start < 16; start++) {
        const expected = referencePrefixes(bytes.subarray(start, start + LENGTH_MAX), crc);
        const wrong = LENGTHS.filter(
          (length) =>
            arena.crc(start, start + length, crc) !== expected[length] ||
            subject.crc32c(bytes.subarray(start, start + length), crc) !== expected[length],
        );
        expect({ start, wrong }).toEqual({ start, wrong: [] });
      }
      expect(arena.bytes).toEqual(bytes);
    });

    test("parts hashed one after another give the CRC of the whole, in place or not", () => {
      const bytes = noise(40_000, 2);
      const arena = subject.createArena(bytes.length);
      arena.bytes.set(bytes);
      const whole = reference(bytes);
      const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 });
      fc.assert(
        fc.property(cuts, (at) => {
          let crc = 0;
          let crcInPlace = 0;
          let start = 0;
          for (const end of [...at.sort((a, b) => a - b), bytes.length]) {
            crc = subject.crc32c(bytes.subarray(start, end), crc);
            crcInPlace = arena.crc(start, end, crcInPlace);
            start = end;
          }
          expect([crc, crcInPlace]).toEqual([whole, whole]);
        }),
      );
    });

    test("a Buffer, shared memory and an arena's own bytes hash like any other bytes", () => {
      const bytes = noise(5000, 3);
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      const arena = subject.createArena(bytes.length);
      arena.bytes.set(bytes);
      const all = [Buffer.from(bytes), shared, arena.bytes].map((some) => subject.crc32c(some));
      expect(all).toEqual(Array(3).fill(reference(bytes)));
    });

    test("a range may end where the arena and its memory end", () => {
      for (const sizeBytes of [65_536 - 16, 65_536 - 1, 65_536]) {
        const arena = subject.createArena(sizeBytes);
        arena.bytes.set(noise(sizeBytes, 4));
        const start = sizeBytes - 700;
        const expected = reference(arena.bytes.subarray(start));
        expect(arena.crc(start, sizeBytes)).toBe(expected);
      }
    });

    test("two arenas do not see each other", () => {
      const [a, b] = [subject.createArena(1000), subject.createArena(1000)];
      a.bytes.fill(1);
      b.bytes.fill(2);
      expect(a.crc(0, 1000)).toBe(reference(new Uint8Array(1000).fill(1)));
      expect(b.crc(0, 1000)).toBe(reference(new Uint8Array(1000).fill(2)));
    });

    test("a range outside the arena, or backwards, is refused", () => {
      const arena = subject.createArena(100);
      expect(arena.crc(100, 100, 7)).toBe(7);
      const ranges: [number, number][] = [
        [0, 101],
        [-1, 5],
        [6, 5],
        [Number.NaN, 5],
        [0, Number.NaN],
      ];
      for (const [start, end] of ranges) expect(() => arena.crc(start, end)).toThrow(RangeError);
      for (const size of [-1, 1.5, 2 ** 32])
        expect(() => subject.createArena(size)).toThrow(RangeError);
    });
  });
}

const wasm = createWasmCrc32c();
test("WebAssembly is there to be tested", () => expect(wasm?.kind).toBe("wasm"));
if (wasm !== undefined) describeCrc32c("WebAssembly", wasm);
describeCrc32c("tables", createTableCrc32c());

test("addresses above 2 GiB are not taken for negative ones", () => {
  const twoGiB = 2 ** 31 - 65_536; // in the arena; what precedes it in its memory makes up the difference
  const arena = createCrc32cArena(twoGiB + 100_000);
  const bytes = noise(60_000, 5);
  arena.bytes.set(bytes, twoGiB - 30_000);
  expect(arena.crc(twoGiB - 30_000, twoGiB + 30_000)).toBe(reference(bytes));
  expect(arena.crc(twoGiB + 10, twoGiB + 30_000)).toBe(reference(bytes.subarray(30_010)));
  expect(arena.crc(twoGiB - 10, twoGiB + 90)).toBe(reference(bytes.subarray(29_990, 30_090)));
});

describe("the implementation chosen", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  /** WebAssembly memory stays where it is when it is transferred: the other side gets a copy. */
  function moves({ buffer }: Uint8Array): boolean {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    return buffer.byteLength === 0;
  }

  test("is WebAssembly, unless the environment says otherwise", async () => {
    expect(moves(createCrc32cArena(10).bytes)).toBe(false);
    vi.resetModules();
    vi.stubEnv("STRATA_NO_WASM", "1");
    const tables = await import("./crc32c.ts");
    expect(moves(tables.createCrc32cArena(10).bytes)).toBe(true);
    expect(tables.crc32c(noise(3000))).toBe(crc32c(noise(3000)));
  });
});

describe("combine", () => {
  test("gives the CRC of both parts together", () => {
    const part = fc.uint8Array({ maxLength: 2000 });
    fc.assert(
      fc.property(part, part, (a, b) => {
        expect(combine(crc32c(a), crc32c(b), b.length)).toBe(crc32c(Buffer.concat([a, b])));
      }),
    );
  });

  test("of nothing changes nothing", () => {
    expect(combine(0x12345678, 0, 0)).toBe(0x12345678);
    expect(combine(0xfedcba98, crc32c(new Uint8Array(0)), 0)).toBe(0xfedcba98);
    expect(combine(0, 0xfedcba98, 1234)).toBe(0xfedcba98);
  });

  /** What `zeros` zero bytes make of a register, by squaring the 32 by 32 matrix of one zero byte. */
  function advance(register: number, zeros: number): number {
    const apply = (columns: Uint32Array, vector: number): number =>
      columns.reduce((sum, column, bit) => sum ^ (column * ((vector >>> bit) & 1)), 0) >>> 0;
    let columns = Uint32Array.from({ length: 32 }, (_, bit) => zeroByte((1 << bit) >>> 0));
    let result = register;
    for (let rest = BigInt(zeros); rest > 0n; rest >>= 1n) {
      if ((rest & 1n) === 1n) result = apply(columns, result);
      const before = columns;
      columns = before.map((column) => apply(before, column));
    }
    return result;
  }

  const register = fc.integer({ min: 0, max: 2 ** 32 - 1 });

  test("takes lengths up to 2^53, and those around the period of the polynomial", () => {
    expect(reference(new Uint8Array(1000), 99)).toBe(~advance(~99 >>> 0, 1000) >>> 0);
    const period = 2 ** 31 - 1;
    const length = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 53 - 1 }),
      fc.constantFrom(period - 1, period, period + 1, 2 ** 32, 2 ** 32 + 5, 3 * period, 2 ** 53),
    );
    fc.assert(
      fc.property(register, register, length, (a, b, lenB) => {
        expect(combine(a, b, lenB)).toBe((advance(a, lenB) ^ b) >>> 0);
      }),
    );
  });

  test("may join in any order, also beyond 2^32 bytes", () => {
    const length = fc.integer({ min: 0, max: 2 ** 52 });
    fc.assert(
      fc.property(register, register, register, length, length, (a, b, c, lenB, lenC) => {
        const leftFirst = combine(combine(a, b, lenB), c, lenC);
        expect(combine(a, combine(b, c, lenC), lenB + lenC)).toBe(leftFirst);
      }),
    );
  });

  test("refuses what is no length", () => {
    for (const lenB of [-1, 0.5, Number.NaN, 2 ** 54]) {
      expect(() => combine(1, 2, lenB)).toThrow(RangeError);
    }
  });
});

test("the committed module is what its source compiles to", () => {
  const build = fileURLToPath(new URL("./wasm/build.mjs", import.meta.url));
  const said = execFileSync(process.execPath, [build, "--check"], { encoding: "utf8" });
  expect(said).toMatch(/^crc32c-wasm\.ts is crc32c\.wat: \d{3,} bytes\n$/);
});
