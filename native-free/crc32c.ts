/**
 * CRC-32C (Castagnoli, reflected, inverted in and out): what Go has as hash/crc32 with crc32.Castagnoli, and iSCSI as
 * RFC 3720. `node:zlib` has another polynomial.
 *
 * Two implementations give the same results: WebAssembly SIMD (wasm/crc32c.wat), several times faster, and tables.
 * STRATA_NO_WASM=1 in the environment chooses the tables, as does a Node without WebAssembly SIMD.
 */
import { CASTAGNOLI, CRC32C_TABLES, updateByTables } from "./crc32c-table.ts";
import { CRC32C_WASM } from "./wasm/crc32c-wasm.ts";

/** A buffer whose ranges are hashed where they lie. Read files straight into it. */
export interface Crc32cArena {
  /** Zeros at first; never grows or moves. Not for transfer to a thread: WebAssembly memory would be copied. */
  readonly bytes: Uint8Array;
  /**
   * The CRC of `bytes[start, end)`, continuing from `crc`; an unsigned 32-bit integer.
   *
   * @throws RangeError unless 0 ≤ start ≤ end ≤ bytes.length; both are whole numbers.
   */
  crc(start: number, end: number, crc?: number): number;
}

export interface Crc32c {
  readonly kind: "wasm" | "table";
  /** As the function `crc32c` below. */
  crc32c(bytes: Uint8Array, crc?: number): number;
  /** As `createCrc32cArena` below. */
  createArena(sizeBytes: number): Crc32cArena;
}

/** Where a module's tables end and the caller's bytes begin: one WebAssembly page, see wasm/crc32c.wat. */
const BYTES_OFFSET = 65_536;
const WASM_PAGE_BYTES = 65_536;
/** The fold reads whole vectors, so up to this many bytes past the end of a range. */
const OVERREAD_BYTES = 16;
/** What 32-bit addresses leave for the caller. */
const ARENA_BYTES_MAX = 2 ** 32 - BYTES_OFFSET - OVERREAD_BYTES;

/**
 * From this length on, copying into WebAssembly memory and hashing there beats tables in JavaScript. They measured
 * equal between 32 and 64 bytes on Node 20: a copy costs 50 ns however short it is.
 */
const COPY_BYTES_MIN = 48;
/** Foreign bytes are copied in pieces of this size, which stay in the cache between copy and hash. */
const SCRATCH_BYTES = 65_536;

/** Node's types leave WebAssembly to the DOM library; this is the part of it that is used here. */
declare const WebAssembly:
  | {
      readonly Memory: new (pages: {
        readonly initial: number;
        readonly maximum: number;
      }) => { readonly buffer: ArrayBuffer };
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (
        module: object,
        imports: object,
      ) => { readonly exports: { readonly update: Update } };
      validate(bytes: Uint8Array): boolean;
    }
  | undefined;

/** The register after the module's bytes `[at, end)`. Arguments and result are taken modulo 2^32. */
type Update = (at: number, end: number, register: number) => number;

/** The tables: slower, and always there. */
export function createTableCrc32c(): Crc32c {
  return {
    kind: "table",
    crc32c(bytes: Uint8Array, crc = 0): number {
      return ~updateByTables(bytes, 0, bytes.length, ~crc) >>> 0;
    },
    createArena(sizeBytes: number): Crc32cArena {
      checkArenaSize(sizeBytes);
      const bytes = new Uint8Array(sizeBytes);
      return {
        bytes,
        crc(start: number, end: number, crc = 0): number {
          checkRange(start, end, sizeBytes);
          return ~updateByTables(bytes, start, end, ~crc) >>> 0;
        },
      };
    },
  };
}

/** WebAssembly SIMD, or undefined where Node runs without it (--jitless, an old processor). */
export function createWasmCrc32c(): Crc32c | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const { Instance, Memory, Module, validate } = WebAssembly;
  const wasm = Buffer.from(CRC32C_WASM, "base64");
  if (!validate(wasm)) return undefined;
  const module = new Module(wasm);

  const instantiate = (sizeBytes: number): { bytes: Uint8Array; update: Update } => {
    checkArenaSize(sizeBytes);
    const pages = Math.ceil((BYTES_OFFSET + sizeBytes + OVERREAD_BYTES) / WASM_PAGE_BYTES);
    const memory = new Memory({ initial: pages, maximum: pages });
    // Not by Int32Array: WebAssembly is little-endian on every host.
    const tables = new DataView(memory.buffer);
    CRC32C_TABLES.forEach((entry, i) => {
      tables.setInt32(4 * i, entry, true);
    });
    return {
      bytes: new Uint8Array(memory.buffer, BYTES_OFFSET, sizeBytes),
      update: new Instance(module, { crc32c: { memory } }).exports.update,
    };
  };

  const scratch = instantiate(SCRATCH_BYTES);
  const hashCopy = (bytes: Uint8Array, register: number): number => {
    scratch.bytes.set(bytes);
    return scratch.update(BYTES_OFFSET, BYTES_OFFSET + bytes.length, register);
  };

  return {
    kind: "wasm",
    crc32c(bytes: Uint8Array, crc = 0): number {
      const { length } = bytes;
      if (length < COPY_BYTES_MIN) return ~updateByTables(bytes, 0, length, ~crc) >>> 0;
      if (length <= SCRATCH_BYTES) return ~hashCopy(bytes, ~crc) >>> 0;
      let register = ~crc;
      for (let at = 0; at < length; at += SCRATCH_BYTES) {
        register = hashCopy(bytes.subarray(at, at + SCRATCH_BYTES), register);
      }
      return ~register >>> 0;
    },
    createArena(sizeBytes: number): Crc32cArena {
      const { bytes, update } = instantiate(sizeBytes);
      return {
        bytes,
        crc(start: number, end: number, crc = 0): number {
          checkRange(start, end, sizeBytes);
          return ~update(BYTES_OFFSET + start, BYTES_OFFSET + end, ~crc) >>> 0;
        },
      };
    },
  };
}

/** Beyond the arena lie tables and scratch, which WebAssembly would hash without complaint. NaN fails as well. */
function checkRange(start: number, end: number, sizeBytes: number): void {
  if (!(start >= 0 && start <= end && end <= sizeBytes)) {
    throw new RangeError(`bytes ${start} to ${end} of an arena of ${sizeBytes}`);
  }
}

function checkArenaSize(sizeBytes: number): void {
  if (!(Number.isInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= ARENA_BYTES_MAX)) {
    throw new RangeError(`an arena has 0 to ${ARENA_BYTES_MAX} bytes, not ${sizeBytes}`);
  }
}

const chosen: Crc32c =
  (process.env.STRATA_NO_WASM === "1" ? undefined : createWasmCrc32c()) ?? createTableCrc32c();

/**
 * The CRC of `bytes`, or, given the CRC of what came before, of both: `crc32c(b, crc32c(a))` is the CRC of a‖b.
 *
 * @param crc  an earlier result; 0 is the CRC of nothing.
 * @returns an unsigned 32-bit integer
 */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  return chosen.crc32c(bytes, crc);
}

/**
 * A buffer of `sizeBytes` to read into and hash without copying. Each has a WebAssembly memory of its own, for which
 * V8 reserves gigabytes of address space (not of memory): make one per thread and job, not one per page.
 *
 * @param sizeBytes  whole, 0 to 4 GiB less 65,552 bytes.
 * @throws RangeError outside of that, or if the memory is not to be had.
 */
export function createCrc32cArena(sizeBytes: number): Crc32cArena {
  return chosen.createArena(sizeBytes);
}

/** x^(2^31 - 1) = 1 modulo the polynomial, which is x + 1 times a primitive one of degree 31. */
const PERIOD = 2 ** 31 - 1;

/** x^(8 * 2^k) modulo the polynomial, for k from 0 to 30. */
const POWERS: readonly number[] = computePowers();

function computePowers(): number[] {
  const powers = [1 << (31 - 8)];
  for (let k = 1; k < 31; k++) {
    const before = powers[k - 1] as number;
    powers.push(multiply(before, before));
  }
  return powers;
}

/** The product of two polynomials modulo the Castagnoli one. By masks: a branch here would be a coin toss. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let rest = a; rest !== 0; rest <<= 1) {
    product ^= shifted & (rest >> 31);
    shifted = (shifted >>> 1) ^ (-(shifted & 1) & CASTAGNOLI);
  }
  return product;
}

/**
 * The CRC of a‖b from those of a and b, so that parts hashed on several threads join. At most 31 multiplications,
 * about 2 µs, whatever the length. The same as `combine` in zlib, for this polynomial.
 *
 * @param lenB  length of b in bytes, whole, 0 ≤ lenB ≤ 2^53.
 * @throws RangeError if lenB is not that.
 */
export function combine(crcA: number, crcB: number, lenB: number): number {
  if (!(Number.isInteger(lenB) && lenB >= 0 && lenB <= 2 ** 53)) {
    throw new RangeError(`a length is a whole number of 0 to 2^53 bytes, not ${lenB}`);
  }
  let shifted = crcA | 0;
  let length = lenB % PERIOD;
  for (let k = 0; length !== 0; k++, length >>>= 1) {
    if ((length & 1) === 1) shifted = multiply(POWERS[k] as number, shifted);
  }
  return (shifted ^ crcB) >>> 0;
}
