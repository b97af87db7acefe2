import { crc32c, createCrc32cArena, createTableCrc32c } from "../../../native-free/crc32c.ts";
import { fnv1a64 } from "../../../native-free/fnv1a64.ts";
import { xorshift32 } from "../../../test/support/workload.ts";
import { OURS } from "../question.ts";
import { bytesSize, type MicroCase, nanosecondsEach, sizesOf, type Work } from "./micro-case.ts";

const SIZES = sizesOf(bytesSize, 64, 300, 1024, 4096, 65_536, 2 ** 20);
const ALIGNMENTS = 16;
const RUN_BYTES = 2 ** 20;
const HASHES = 1000;
/** Of a meta page, under its checksum. */
const META_BYTES = 56;

function noise(bytes: Uint8Array): Uint8Array {
  const next = xorshift32(1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = next() >>> 24;
  return bytes;
}

/** Ranges from 16 alignments, each continuing from the one before; the last CRC is the digest. */
function overRanges(rangeBytes: number, hash: (start: number, crc: number) => number): Work {
  const ranges = Math.max(1, Math.floor(RUN_BYTES / rangeBytes));
  return {
    run: () => {
      let crc = 0;
      for (let i = 0; i < ranges; i++) crc = hash(i & (ALIGNMENTS - 1), crc);
      return crc;
    },
    figure: (seconds) => (ranges * rangeBytes) / 1e6 / seconds,
  };
}

function inPlace({ valueBytes }: { readonly valueBytes: number }): Work {
  const arena = createCrc32cArena(RUN_BYTES + ALIGNMENTS);
  noise(arena.bytes);
  return overRanges(valueBytes, (start, crc) => arena.crc(start, start + valueBytes, crc));
}

function ofParts(hash: (bytes: Uint8Array, crc: number) => number) {
  return ({ valueBytes }: { readonly valueBytes: number }): Work => {
    const bytes = noise(new Uint8Array(RUN_BYTES + ALIGNMENTS));
    // Made ahead of time: what a subarray costs is not the question.
    const parts = Array.from({ length: ALIGNMENTS }, (_, start) =>
      bytes.subarray(start, start + valueBytes),
    );
    return overRanges(valueBytes, (start, crc) => hash(parts[start] as Uint8Array, crc));
  };
}

const CRC = { unit: "MB/s", better: "more" } as const;

export const CHECKSUMS: readonly MicroCase[] = [
  {
    ...CRC,
    name: "memory/crc32c/in-place",
    about: "CRC-32C of ranges of an arena, by WebAssembly",
    goal: { kind: "value", atLeast: 3000 },
    sizes: SIZES,
    subjects: { [OURS]: inPlace },
  },
  {
    ...CRC,
    name: "memory/crc32c/records",
    about: "the same, of ranges as long as a record of the log",
    goal: { kind: "value", atLeast: 1100 },
    sizes: [bytesSize(300)],
    subjects: { [OURS]: inPlace },
  },
  {
    ...CRC,
    name: "memory/crc32c/foreign",
    about: "CRC-32C of bytes that lie elsewhere, copied in",
    sizes: SIZES,
    subjects: { [OURS]: ofParts(crc32c) },
  },
  {
    ...CRC,
    name: "memory/crc32c/tables",
    about: "CRC-32C by tables, in JavaScript alone",
    sizes: SIZES,
    subjects: { [OURS]: ofParts(createTableCrc32c().crc32c) },
  },
  {
    name: "memory/fnv",
    about: "FNV-1a of 64 bits, of a meta page",
    unit: "ns",
    better: "less",
    sizes: [bytesSize(META_BYTES)],
    subjects: {
      [OURS]: ({ valueBytes }) => {
        const bytes = noise(new Uint8Array(valueBytes));
        return nanosecondsEach(HASHES, () => {
          let hash = 0n;
          for (let i = 0; i < HASHES; i++) hash = fnv1a64(bytes);
          return String(hash);
        });
      },
    },
  },
];
