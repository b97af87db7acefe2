/**
 * How fast is CRC-32C, in MB/s (10^6 bytes), for ranges of an arena, for bytes that lie elsewhere, and by tables?
 *
 *   npm run build && node dist/bench/crc32c.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/crc32c.js   the figures: the median of 7 alternated rounds
 */
import { fileURLToPath } from "node:url";
import { Bench } from "tinybench";
import { crc32c, createCrc32cArena, createTableCrc32c } from "../native-free/crc32c.ts";

export const SIZES: readonly number[] = [64, 300, 1024, 4096, 65_536, 1 << 20];

export interface Crc32cCase {
  readonly implementation: "arena, in place" | "crc32c() of a foreign buffer" | "tables";
  /** Length of each range, in bytes. */
  readonly rangeBytes: number;
  /** Hashed by one call of `run`: many ranges, so that a clock reading is nothing beside them. */
  readonly runBytes: number;
  /** Hashes ranges from 16 alignments, each continuing from the one before; the last CRC is the digest. */
  run(): number;
}

/** @param runBytes  about how much one `run` hashes; at least one range. */
export function crc32cCases(runBytes: number): Crc32cCase[] {
  const arena = createCrc32cArena((1 << 20) + 16);
  let state = 1;
  for (let i = 0; i < arena.bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    arena.bytes[i] = state >>> 24;
  }
  const foreign = Uint8Array.from(arena.bytes);
  const { crc32c: byTables } = createTableCrc32c();

  return SIZES.flatMap((rangeBytes): Crc32cCase[] => {
    const ranges = Math.max(1, Math.floor(runBytes / rangeBytes));
    const common = { rangeBytes, runBytes: ranges * rangeBytes };
    // Made ahead of time: what a subarray costs is not the question.
    const parts = Array.from({ length: 16 }, (_, start) =>
      foreign.subarray(start, start + rangeBytes),
    );
    const overParts = (hash: (bytes: Uint8Array, crc: number) => number) => (): number => {
      let crc = 0;
      for (let i = 0; i < ranges; i++) crc = hash(parts[i & 15] as Uint8Array, crc);
      return crc;
    };
    return [
      {
        ...common,
        implementation: "arena, in place",
        run: (): number => {
          let crc = 0;
          for (let i = 0; i < ranges; i++) crc = arena.crc(i & 15, (i & 15) + rangeBytes, crc);
          return crc;
        },
      },
      { ...common, implementation: "crc32c() of a foreign buffer", run: overParts(crc32c) },
      { ...common, implementation: "tables", run: overParts(byTables) },
    ];
  });
}

export interface Crc32cFigure {
  readonly implementation: string;
  readonly rangeBytes: number;
  /** 10^6 bytes per second: the median over rounds of the median run. */
  readonly megabytesPerSecond: number;
  /** Of one run. Equal for all implementations at one length. */
  readonly digest: number;
}

/** Runs every case once per round, in turn, so that a slow minute of the machine falls on all of them. */
export async function measureCrc32c(options: {
  readonly rounds: number;
  /** Per case and round. */
  readonly timeMs: number;
  readonly runBytes: number;
  /** Whether V8 gets to compile each case well before the first round. */
  readonly warmup: boolean;
}): Promise<Crc32cFigure[]> {
  const cases = crc32cCases(options.runBytes).map((one) => ({
    ...one,
    speeds: [] as number[],
    digest: 0,
  }));
  for (let round = 0; round < options.rounds; round++) {
    const bench = new Bench({
      time: options.timeMs,
      iterations: 1,
      warmup: options.warmup && round === 0,
    });
    for (const [i, one] of cases.entries()) {
      bench.add(String(i), () => {
        one.digest = one.run();
      });
    }
    await bench.run();
    for (const [i, one] of cases.entries()) {
      const result = bench.tasks[i]?.result;
      if (result?.state !== "completed") throw new Error(`case ${i} ended ${result?.state}`);
      one.speeds.push(one.runBytes / 1000 / result.latency.p50);
    }
  }
  return cases.map(({ implementation, rangeBytes, speeds, digest }) => ({
    implementation,
    rangeBytes,
    megabytesPerSecond: median(speeds),
    digest,
  }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const figures = await measureCrc32c(
    process.env.BENCH === "full"
      ? { rounds: 7, timeMs: 200, runBytes: 1 << 20, warmup: true }
      : { rounds: 1, timeMs: 1, runBytes: 1 << 16, warmup: false },
  );
  const table: Record<string, Record<string, number>> = {};
  let digest = 0;
  for (const { implementation, rangeBytes, megabytesPerSecond, digest: crc } of figures) {
    table[implementation] ??= {};
    table[implementation][`${rangeBytes} B`] = Math.round(megabytesPerSecond);
    digest = (Math.imul(digest, 31) + crc) >>> 0;
  }
  console.log("CRC-32C, MB/s");
  console.table(table);
  console.log({ node: process.version, digest });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
