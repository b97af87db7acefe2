/**
 * How long does the physical compaction of 900,000 revisions of 1,000,000 take, and what do puts of other processes
 * notice of it; in strata and in a real etcd, each on a copy of the same data dir, in turns? The same for HashKV.
 *
 *     node dist/bench/store/compaction.js [--smoke | --keys N --versions N] [--layout rounds|spread] [--rate N]
 *         [--rounds N] [--work compact,hashkv] [--only REGEX] [--keep] [--json FILE]
 *
 * `rounds`: all keys are put again and again, so that what stays lies at the end; `spread`: each key is put once, amid
 * puts of one other key, so that every page keeps something. A put's time counts from when it was due, so that a server
 * that stands still is charged for all that would have come meanwhile. --rate 0: nobody puts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Strata } from "../../src/index.ts";
import { encodePut } from "../../src/proto/kv-requests.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { etcdctl } from "../../test/support/real-etcd.ts";
import { xorshift32 } from "../../test/support/workload.ts";
import { describeMachine } from "../support/machine.ts";
import { spread } from "../support/report.ts";
import { framed } from "../wire/frames.ts";
import { RawClient } from "../wire/raw-client.ts";
import { cpuSeconds, ETCD, peakBytes, type ServerKind, STRATA } from "../wire/server-process.ts";
import {
  type Answered,
  alternate,
  type Entry,
  isAnswered,
  mebibytes,
  ratios,
  SIDE,
  sayMissing,
  shownSpread,
} from "./alternate.ts";
import { copyDataDir, databaseBytes, START_VALUE_BYTES, writeReport } from "./data-dir.ts";
import { keyOf, quantile, valuesOf } from "./workload.ts";

export type Layout = "rounds" | "spread";
export type Work = "compact" | "hashkv";

export interface HistorySize {
  readonly keys: number;
  /** Revisions of each. */
  readonly versions: number;
  readonly layout: Layout;
}

/** Milliseconds. */
export interface PutFigure {
  readonly puts: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The longest time in which no put was answered. */
  readonly gap: number;
}

export interface WorkFigure {
  readonly seconds: number;
  /** Of the server, while it did the work. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Undefined: nobody put. */
  readonly quiet: PutFigure | undefined;
  readonly during: PutFigure | undefined;
}

const CALLERS = 1000;
const QUOTA_BYTES = 8 * 2 ** 30;
const CONNECTIONS = 10;
const QUIET_SECONDS = 5;
const SEED = 4711;

/** Makes the history by strata's own puts: current revision keys × versions + 1. */
export async function makeHistory(
  folder: string,
  { keys, versions, layout }: HistorySize,
): Promise<void> {
  await using store = await Strata.open({ dir: folder }, { quotaBytes: QUOTA_BYTES });
  const value = valuesOf(START_VALUE_BYTES);
  const all = keys * versions;
  const put = async (i: number): Promise<void> => {
    const ofKey = layout === "rounds" ? i % keys : i % versions === 0 ? i / versions : keys;
    await store.put(keyOf(ofKey), value(i));
  };
  for (let from = 0; from < all; from += CALLERS) {
    const puts: Promise<void>[] = [];
    for (let i = from; i < Math.min(from + CALLERS, all); i++) puts.push(put(i));
    await Promise.all(puts);
  }
}

async function madeHistory(size: HistorySize, keep: boolean, scratch: string): Promise<string> {
  const { keys, versions, layout } = size;
  const name = `strata-bench-compaction-${process.getuid?.() ?? 0}-${keys}x${versions}-${layout}`;
  const kept = join(tmpdir(), name);
  if (existsSync(kept)) return kept;
  const making = join(scratch, "making");
  await makeHistory(making, size);
  const made = keep ? kept : join(scratch, "made");
  renameSync(making, made);
  return made;
}

// -- who puts, in a process of its own

interface Putting {
  readonly port: number;
  readonly keys: number;
  /** A second, over all connections. */
  readonly rate: number;
}

/** Puts at a steady rate; for each message of the parent it tells what was seen since the last. */
async function putSteadily({ port, keys, rate }: Putting): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => RawClient.open(port)),
  );
  const value = valuesOf(START_VALUE_BYTES);
  const next = xorshift32(SEED);
  let times: number[] = [];
  let gap = 0;
  let lastMs = performance.now();
  const startMs = lastMs;
  let issued = 0;
  const put = (i: number): void => {
    const dueMs = startMs + (i / rate) * 1000;
    const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    const key = Buffer.from(keyOf(next() % keys));
    const body = framed(encodePut({ kind: "put", key, value: value(i), ...flags }));
    const client = clients[i % CONNECTIONS] as RawClient;
    client.call("/etcdserverpb.KV/Put", body, true, {
      message: () => {
        const nowMs = performance.now();
        times.push(nowMs - dueMs);
        gap = Math.max(gap, nowMs - lastMs);
        lastMs = nowMs;
      },
    });
  };
  process.on("message", () => {
    const sorted = Float64Array.from(times).sort();
    const figure: PutFigure = {
      puts: times.length,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      max: quantile(sorted, 1),
      gap: Math.max(gap, performance.now() - lastMs),
    };
    times = [];
    gap = 0;
    process.send?.(figure);
  });
  process.on("disconnect", () => {
    for (const client of clients) client.close();
    clearInterval(timer);
  });
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * rate);
    while (issued < due) put(issued++);
    const failed = clients.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) throw new Error(failed.failure);
  }, 1);
}

class Putter {
  readonly #child: ChildProcess;

  constructor(putting: Putting) {
    const program = fileURLToPath(import.meta.url);
    this.#child = fork(program, [SIDE, JSON.stringify(putting)]);
  }

  /** What was seen since the last call. */
  async seen(): Promise<PutFigure> {
    const answer = new Promise<PutFigure>((resolve, reject) => {
      this.#child.once("message", (figure) => resolve(figure as PutFigure));
      this.#child.once("exit", (code) => reject(new Error(`whoever puts ended: ${code}`)));
    });
    this.#child.send("tell");
    const figure = await answer;
    this.#child.removeAllListeners("exit");
    return figure;
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await gone;
  }
}

// -- the two servers

async function workOn(
  kind: ServerKind,
  dataDir: string,
  work: Work,
  { keys, versions }: HistorySize,
  rate: number,
): Promise<WorkFigure> {
  const server = await kind.start(dataDir);
  try {
    const putter = rate > 0 ? new Putter({ port: server.port, keys, rate }) : undefined;
    let quiet: PutFigure | undefined;
    if (putter !== undefined) {
      await sleep(2000);
      await putter.seen();
      await sleep(QUIET_SECONDS * 1000);
      quiet = await putter.seen();
    }
    const revision = keys * versions + 1;
    const command =
      work === "compact" ? ["compact", `${revision}`, "--physical"] : ["endpoint", "hashkv"];
    const cpuBefore = cpuSeconds(server.pid);
    const beganMs = performance.now();
    const timeout = "--command-timeout=120s";
    const said = await etcdctl("--endpoints", server.url, timeout, ...command);
    const seconds = (performance.now() - beganMs) / 1000;
    if (said.code !== 0) throw new Error(said.stderr);
    const cpu = cpuSeconds(server.pid) - cpuBefore;
    // A put that was due in it is answered by now, if it is at all.
    if (putter !== undefined) await sleep(200);
    const during = await putter?.seen();
    await putter?.stop();
    return { seconds, cpuSeconds: cpu, peakRssBytes: peakBytes(server.pid), quiet, during };
  } finally {
    await server.stop();
  }
}

export function compactionEntries(
  made: string,
  folder: string,
  work: Work,
  size: HistorySize,
  rate: number,
): Entry<WorkFigure>[] {
  return [STRATA, ETCD].map((kind) => ({
    name: kind.name,
    ...(!kind.peer.found && { missing: kind.peer.why }),
    run: async () => {
      const dataDir = join(folder, "data");
      copyDataDir(made, dataDir);
      try {
        return await workOn(kind, dataDir, work, size, rate);
      } finally {
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
  }));
}

function show(work: Work, answers: readonly Answered<WorkFigure>[]): void {
  const ours = answers.filter(isAnswered).find(({ name }) => name === STRATA.name)?.rounds ?? [];
  const two = (value: number): string => value.toFixed(2);
  const one = (value: number): string => value.toFixed(1);
  console.table(
    answers.map((answered) => {
      const { name } = answered;
      if (!isAnswered(answered)) return { work, name, seconds: "missing" };
      const { rounds } = answered;
      const of = (value: (figure: WorkFigure) => number, format = one): string =>
        shownSpread(spread(rounds.map(value)), format);
      const puts = (figure: (round: WorkFigure) => PutFigure | undefined): string =>
        rounds.some((round) => figure(round) === undefined)
          ? ""
          : (["p50", "p99", "max", "gap"] as const)
              .map((part) => spread(rounds.map((round) => figure(round)?.[part] ?? 0)).median)
              .map(one)
              .join(" / ");
      return {
        work,
        name,
        seconds: of(({ seconds }) => seconds, two),
        "times strata's": shownSpread(
          ratios(rounds, ours, ({ seconds }) => seconds),
          two,
        ),
        "CPU s": of((figure) => figure.cpuSeconds, two),
        "peak RSS": of((figure) => figure.peakRssBytes, mebibytes),
        "puts quiet": puts(({ quiet }) => quiet),
        "puts during": puts(({ during }) => during),
      };
    }),
  );
  console.log("puts: p50 / p99 / max / longest time without an answer, ms; medians of the rounds");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      keys: { type: "string" },
      versions: { type: "string", default: "10" },
      layout: { type: "string", default: "rounds" },
      rate: { type: "string", default: "5000" },
      rounds: { type: "string" },
      work: { type: "string", default: "compact,hashkv" },
      only: { type: "string", default: "" },
      keep: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const keys = Number(values.keys ?? (values.smoke ? 300 : 100_000));
  const versions = Number(values.versions);
  const rate = Number(values.rate);
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 3));
  const layout = values.layout as Layout;
  if (![keys, versions, rounds].every((n) => Number.isInteger(n) && n > 0) || !(rate >= 0)) {
    throw new Error("--keys, --versions and --rounds are whole numbers from 1 on, --rate from 0");
  }
  const size = { keys, versions, layout };
  const only = new RegExp(values.only);
  const folder = scratchFolder("bench-compaction");
  const machine = describeMachine(folder);
  console.log(machine);
  const made = await madeHistory(size, values.keep, folder);
  console.log(
    `${keys} keys of ${versions} revisions, ${layout}, database of ` +
      `${mebibytes(databaseBytes(made))}, ${rate} puts a second`,
  );
  const all: Record<string, readonly Answered<WorkFigure>[]> = {};
  for (const work of values.work.split(",") as Work[]) {
    const entries = compactionEntries(made, folder, work, size, rate);
    const answers = await alternate(
      entries.filter(({ name }) => only.test(name)),
      rounds,
      (line) => console.error(`${work} ${line}`),
    );
    show(work, answers);
    sayMissing(answers);
    all[work] = answers;
  }
  writeReport(values.json, { machine, ...size, rate, rounds, all });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, question] = process.argv.slice(2);
  if (first === SIDE && question !== undefined) await putSteadily(JSON.parse(question) as Putting);
  else await main();
}
