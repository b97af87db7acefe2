/**
 * What does long work beside the store cost those who use it? A store in a directory with many revisions is hashed and
 * saved while one writer puts one key after another.
 *
 *   npm run build && node dist/bench/jobs.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/jobs.js   1,000,000 revisions of 300 bytes
 *
 * Files are made in the system's folder for temporary ones: set TMPDIR to measure another disk.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Strata } from "../src/index.ts";
import { scratchFolder } from "../test/support/cleanup.ts";

const VALUE_BYTES = 300;

export interface JobFigures {
  readonly job: string;
  readonly seconds: number;
  /** Of the database, by second. */
  readonly megabytesPerSecond: number;
  /** The longest that the main thread's event loop did not come round, other programs' share of it included. */
  readonly longestStallMs: number;
  /** The most that it computed between two of its timers: what is our own of it. Undefined where Linux does not tell. */
  readonly longestTurnCpuMs: number | undefined;
  readonly puts: number;
  readonly putMedianMs: number;
  readonly putLongestMs: number;
}

interface Work {
  readonly job: string;
  readonly run: (store: Strata) => Promise<unknown>;
}

function works(folder: string, revisions: number): readonly Work[] {
  const file = join(folder, "backup.db");
  return [
    { job: "nothing, for a second", run: () => sleep(1000) },
    { job: "hashKv, never compacted", run: (store) => store.hashKv() },
    { job: "hash", run: (store) => store.hash() },
    {
      job: "snapshot, taken as fast as it comes",
      run: async (store) => {
        for await (const piece of await store.snapshot()) if (piece.length === 0) throw new Error();
      },
    },
    { job: "saveSnapshot", run: (store) => store.saveSnapshot(file) },
    {
      job: "compaction of the older half",
      run: async (store) => {
        rmSync(file, { force: true });
        await store.compact(Math.floor(revisions / 2), { physical: true });
      },
    },
    { job: "hashKv, compacted", run: (store) => store.hashKv() },
  ];
}

export async function measureJobs(revisions: number): Promise<JobFigures[]> {
  const folder = scratchFolder("bench-jobs");
  const store = await Strata.open({ dir: join(folder, "data") });
  const value = "v".repeat(VALUE_BYTES);
  for (let from = 0; from < revisions; from += 1000) {
    const puts: Promise<unknown>[] = [];
    for (let i = from; i < Math.min(from + 1000, revisions); i++) {
      puts.push(store.put(`key-${String((i * 7919) % revisions).padStart(9, "0")}`, value));
    }
    await Promise.all(puts);
  }
  const figures: JobFigures[] = [];
  for (const { job, run } of works(folder, revisions)) {
    await sleep(300);
    figures.push(await measure(store, job, run));
  }
  await store.close();
  return figures;
}

async function measure(store: Strata, job: string, run: Work["run"]): Promise<JobFigures> {
  const bytes = store.status().inUseBytes;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const times: number[] = [];
  let ended = false;
  let longestTurnCpuMs: number | undefined;
  let cpuMs = mainThreadCpuMs();
  const ticker = setInterval(() => {
    const now = mainThreadCpuMs();
    if (now !== undefined && cpuMs !== undefined) {
      longestTurnCpuMs = Math.max(longestTurnCpuMs ?? 0, now - cpuMs);
    }
    cpuMs = now;
  }, 1);
  delay.enable();
  const writer = (async (): Promise<void> => {
    while (!ended) {
      const start = performance.now();
      await store.put("probe", "v");
      times.push(performance.now() - start);
      await sleep(1);
    }
  })();
  const start = performance.now();
  await run(store);
  const seconds = (performance.now() - start) / 1000;
  ended = true;
  await writer;
  delay.disable();
  clearInterval(ticker);
  times.sort((a, b) => a - b);
  return {
    job,
    seconds,
    megabytesPerSecond: bytes / 1e6 / seconds,
    longestStallMs: delay.max / 1e6,
    longestTurnCpuMs,
    puts: times.length,
    putMedianMs: times[times.length >> 1] ?? 0,
    putLongestMs: times.at(-1) ?? 0,
  };
}

function mainThreadCpuMs(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
  return Number(nanoseconds) / 1e6;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const revisions = Number(
    process.env.REVISIONS ?? (process.env.BENCH === "full" ? 1_000_000 : 2_000),
  );
  console.table(await measureJobs(revisions));
  console.log({ node: process.version, revisions });
}
