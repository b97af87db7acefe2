/**
 * How many durable appends of 256 bytes does the log take from 1, 10, 100 and 1000 callers who each wait for their
 * last one, beside what the disk's own fdatasync allows; and how fast is a log read again?
 *
 *   npm run build && node dist/bench/wal.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/wal.js   the figures: the median of 5 alternated rounds
 *
 * In the system's folder for temporary files, or in BENCH_DIR: see that it is on a disk.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32c } from "../native-free/crc32c.ts";
import { SystemDirectory, SystemFile } from "../native-free/file.ts";
import { encodeMetadata } from "../src/wal/metadata.ts";
import { readLog } from "../src/wal/reader.ts";
import { AdaptiveSyncPolicy, fixedSyncPolicy, type SyncPolicy } from "../src/wal/sync-policy.ts";
import { createWal, type Wal } from "../src/wal/wal.ts";
import { zeroFillInSteps } from "../src/wal/zero-fill.ts";

export const CALLERS: readonly number[] = [1, 10, 100, 1000];
export const PLACES = ["here", "beside", "adaptive"] as const;

const DATA_BYTES = 256;
/** What one append of one caller writes: entry and state. */
const RECORDS_BYTES = 336;

export interface AppendFigure {
  readonly callers: number;
  readonly place: (typeof PLACES)[number];
  readonly appendsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of fdatasyncs, per append. */
  readonly syncsPerAppend: number;
  /** Over the data that was read back: equal for equal counts of appends. */
  readonly digest: number;
}

export interface WalFigures {
  /** Writes of one append's length into zeros, each with its fdatasync: nothing else, on this thread. */
  readonly limitPerSecond: number;
  readonly limitP50Us: number;
  readonly appends: readonly AppendFigure[];
  /** 10^6 bytes of segments per second. */
  readonly readMegabytesPerSecond: number;
  readonly readEntriesPerSecond: number;
}

export interface WalBenchOptions {
  readonly rounds: number;
  /** Appends per case and round; more callers make more of them. */
  readonly appends: (callers: number) => number;
  readonly segmentBytes: number;
}

export async function measureWal(folder: string, options: WalBenchOptions): Promise<WalFigures> {
  const limits: { perSecond: number; p50Us: number }[] = [];
  const figures = new Map<string, AppendFigure[]>();
  const reads: { megabytes: number; entries: number }[] = [];
  for (let round = 0; round < options.rounds; round++) {
    limits.push(measureLimit(folder, options.appends(1)));
    for (const callers of CALLERS) {
      for (const place of PLACES) {
        const { figure, read } = await measureAppends(folder, callers, place, options);
        const key = `${callers} ${place}`;
        figures.set(key, [...(figures.get(key) ?? []), figure]);
        if (callers === 1000) reads.push(read);
      }
    }
  }
  return {
    limitPerSecond: median(limits.map(({ perSecond }) => perSecond)),
    limitP50Us: median(limits.map(({ p50Us }) => p50Us)),
    appends: [...figures.values()].map((all) => {
      const [first] = all as [AppendFigure];
      return {
        ...first,
        appendsPerSecond: median(all.map((one) => one.appendsPerSecond)),
        p50Us: median(all.map((one) => one.p50Us)),
        p99Us: median(all.map((one) => one.p99Us)),
        syncsPerAppend: median(all.map((one) => one.syncsPerAppend)),
      };
    }),
    readMegabytesPerSecond: median(reads.map(({ megabytes }) => megabytes)),
    readEntriesPerSecond: median(reads.map(({ entries }) => entries)),
  };
}

function measureLimit(folder: string, count: number): { perSecond: number; p50Us: number } {
  const path = join(folder, "limit");
  const file = new SystemFile(path, "create");
  const bytes = new Uint8Array(RECORDS_BYTES).fill(1);
  file.write(0, new Uint8Array(count * RECORDS_BYTES));
  file.sync();
  const took: number[] = [];
  const begin = performance.now();
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    file.write(i * RECORDS_BYTES, bytes);
    file.sync();
    took.push(performance.now() - from);
  }
  const ms = performance.now() - begin;
  file.close();
  rmSync(path);
  return { perSecond: (count / ms) * 1000, p50Us: median(took) * 1000 };
}

async function measureAppends(
  folder: string,
  callers: number,
  place: (typeof PLACES)[number],
  options: WalBenchOptions,
): Promise<{ figure: AppendFigure; read: { megabytes: number; entries: number } }> {
  const parent = new SystemDirectory(mkdtempSync(join(folder, "log-")));
  const wal = createWal(parent, "wal", encodeMetadata({ nodeId: 1n, clusterId: 2n }), {
    segmentBytes: options.segmentBytes,
    prepare: zeroFillInSteps,
    syncPolicy: policyOf(place),
  });
  const count = options.appends(callers);
  const took = new Float64Array(count);
  const begin = performance.now();
  await appendAll(wal, callers, took);
  const ms = performance.now() - begin;
  const { here, beside } = wal.counts.syncs;
  await wal.close();

  const from = performance.now();
  const { entries, end } = readLog(wal.directory, { index: 0, term: 0 }, "read");
  const readMs = performance.now() - from;
  if (entries.length !== count) throw new Error(`${entries.length} entries of ${count}`);
  let digest = 0;
  for (const { data } of entries) if (data) digest = crc32c(data, digest);
  rmSync(parent.path, { recursive: true });
  took.sort();
  return {
    figure: {
      callers,
      place,
      appendsPerSecond: (count / ms) * 1000,
      p50Us: (took[Math.floor(count * 0.5)] ?? 0) * 1000,
      p99Us: (took[Math.floor(count * 0.99)] ?? 0) * 1000,
      syncsPerAppend: (here + beside) / count,
      digest,
    },
    read: {
      megabytes: (end.segment.sequence * options.segmentBytes + end.offsetBytes) / 1000 / readMs,
      entries: (count / readMs) * 1000,
    },
  };
}

/** Each caller appends, waits, and appends again, until all of `took` is filled. */
async function appendAll(wal: Wal, callers: number, took: Float64Array): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    const data = new Uint8Array(DATA_BYTES);
    while (next < took.length) {
      const i = next++;
      data.fill(i);
      const index = i + 1;
      const begin = performance.now();
      await wal.append([{ type: 0, term: 2, index, data }], {
        term: 2,
        vote: 1n << 60n,
        commit: index,
      });
      took[i] = performance.now() - begin;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

function policyOf(place: (typeof PLACES)[number]): SyncPolicy {
  return place === "adaptive" ? new AdaptiveSyncPolicy() : fixedSyncPolicy(place);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const full = process.env.BENCH === "full";
  const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "strata-bench-wal-"));
  try {
    const figures = await measureWal(folder, {
      rounds: full ? 5 : 1,
      appends: (callers) =>
        full ? ({ 1: 3000, 10: 10_000, 100: 60_000 }[callers] ?? 200_000) : 10 * callers,
      segmentBytes: 64_000_000,
    });
    const { limitPerSecond, limitP50Us, readMegabytesPerSecond, readEntriesPerSecond } = figures;
    console.log(
      `write of ${RECORDS_BYTES} B and fdatasync: ${Math.round(limitPerSecond)}/s, p50 ${Math.round(limitP50Us)} µs`,
    );
    console.table(
      figures.appends.map((one) => ({
        callers: one.callers,
        fdatasync: one.place,
        "appends/s": Math.round(one.appendsPerSecond),
        "of the limit": Number((one.appendsPerSecond / limitPerSecond).toFixed(2)),
        "limit's p50 / p50": Number((limitP50Us / one.p50Us).toFixed(2)),
        "p50 µs": Math.round(one.p50Us),
        "p99 µs": Math.round(one.p99Us),
        "syncs per append": Number(one.syncsPerAppend.toFixed(4)),
      })),
    );
    console.log(
      `reading: ${Math.round(readMegabytesPerSecond)} MB/s, ${Math.round(readEntriesPerSecond)} entries/s`,
    );
    const digest = figures.appends.reduce((sum, one) => (Math.imul(sum, 31) + one.digest) >>> 0, 0);
    console.log({ node: process.version, digest });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
