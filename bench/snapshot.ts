/**
 * Snapshots of a large database: `etcdctl snapshot save` from strata's server and from a real etcd, and `snapshot
 * restore`, strata's commands and the real ones in turn; wall clock, processors' time and peak memory of the command.
 *
 *     node dist/bench/snapshot.js [--smoke | --megabytes N] [--rounds N] [--keep FOLDER] [--json FILE]
 *
 * Everything is in TMPDIR, some five times the database.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Strata } from "../src/index.ts";
import { scratchFolder } from "../test/support/cleanup.ts";
import { projectFolder } from "../test/support/judge.ts";
import { peer } from "../test/support/peers.ts";
import {
  type Answered,
  alternate,
  type Entry,
  isAnswered,
  mebibytes,
  ofCase,
  ratios,
  sayMissing,
  shownSpread,
} from "./store/alternate.ts";
import { copyDataDir, databaseBytes, writeReport } from "./store/data-dir.ts";
import { residentBytes } from "./store/resident.ts";
import { describeMachine } from "./support/machine.ts";
import { spread } from "./support/report.ts";
import { ETCD, type ServerKind, STRATA } from "./wire/server-process.ts";

export interface CommandFigure {
  readonly seconds: number;
  /** Of the command alone, user and system. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

const GOAL_PEAK_BYTES = 200 * 1_000_000;
const OURS = join(projectFolder(), "dist/src/cli/bin/etcdctl.js");

const VALUE_BYTES = 10_000;
const CALLERS = 200;
const QUOTA_BYTES = 8 * 2 ** 30;
const POLL_MS = 5;
/** Of the kernel's clock. */
const TICKS_PER_SECOND = 100;

/** Values that no file system can make smaller than they are. */
async function makeDataDir(dir: string, megabytes: number): Promise<void> {
  await using store = await Strata.open({ dir }, { quotaBytes: QUOTA_BYTES, log: () => undefined });
  const count = Math.ceil((megabytes * 1e6) / VALUE_BYTES);
  let next = 0;
  const value = new Uint32Array(VALUE_BYTES / 4);
  let state = 1;
  const caller = async (): Promise<void> => {
    while (next < count) {
      for (let i = 0; i < value.length; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        value[i] = state;
      }
      const bytes = new Uint8Array(value.buffer.slice(0));
      await store.put(`key-${next++}`, bytes);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLERS, count) }, caller));
}

/** What a process has used so far; undefined when it is gone. */
function usage(pid: number): { cpuSeconds: number; peakRssBytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the name, which may hold anything: state is the third field, user and system time the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const peakRssBytes = residentBytes(pid, "VmHWM");
    return peakRssBytes === 0 ? undefined : { cpuSeconds, peakRssBytes };
  } catch {
    return undefined;
  }
}

/** Runs a command to its end. @throws Error with what it said if it does not end well */
export async function measure(program: string, args: readonly string[]): Promise<CommandFigure> {
  const startMs = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  let ended = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).finally(() => {
    ended = true;
  });
  let seen = { cpuSeconds: 0, peakRssBytes: 0 };
  while (!ended) {
    seen = usage(child.pid ?? -1) ?? seen;
    await Promise.race([sleep(POLL_MS), code]);
  }
  const seconds = (performance.now() - startMs) / 1000;
  if ((await code) !== 0) throw new Error(`${args.join(" ")}: exit ${await code}: ${stderr}`);
  return { seconds, ...seen };
}

export interface SnapshotBenchOptions {
  readonly folder: string;
  readonly megabytes: number;
  readonly rounds: number;
  readonly progress?: (line: string) => void;
}

/** Cases `save from strata`, `save from etcd`, `restore`. */
export async function measureSnapshots({
  folder,
  megabytes,
  rounds,
  progress = () => undefined,
}: SnapshotBenchOptions): Promise<Answered<CommandFigure>[]> {
  const made = join(folder, "made");
  if (!existsSync(made)) {
    progress(`making ${megabytes} MB`);
    await makeDataDir(made, megabytes);
  }
  progress(`a database of ${mebibytes(databaseBytes(made))}`);
  const file = join(folder, "saved.db");
  const etcdctl = peer("etcdctl");
  const theirs = etcdctl.found ? { path: etcdctl.path } : { path: "", missing: etcdctl.why };
  const saves = async (kind: ServerKind): Promise<Answered<CommandFigure>[]> => {
    const dataDir = join(folder, kind.name);
    copyDataDir(made, dataDir);
    const server = await kind.start(dataDir);
    try {
      const args = ["--endpoints", server.url, "snapshot", "save", file];
      const fresh = async (program: string): Promise<CommandFigure> => {
        rmSync(file, { force: true });
        return await measure(program, args);
      };
      const name = `save from ${kind.name}`;
      const entries: Entry<CommandFigure>[] = [
        { name: `${name} strata`, run: () => fresh(OURS) },
        { name: `${name} etcd`, ...missing(theirs), run: () => fresh(theirs.path) },
      ];
      return await alternate(entries, rounds, progress);
    } finally {
      await server.stop();
      rmSync(dataDir, { recursive: true });
    }
  };
  const answers = await saves(STRATA);
  if (ETCD.peer.found) answers.push(...(await saves(ETCD)));
  const dir = join(folder, "restored");
  const restore = async (program: string): Promise<CommandFigure> => {
    const figure = await measure(program, ["snapshot", "restore", file, "--data-dir", dir]);
    if (statSync(join(dir, "member/snap/db")).size === 0) throw new Error("nothing was restored");
    rmSync(dir, { recursive: true });
    return figure;
  };
  const entries: Entry<CommandFigure>[] = [
    { name: "restore strata", run: () => restore(OURS) },
    { name: "restore etcd", ...missing(theirs), run: () => restore(theirs.path) },
  ];
  answers.push(...(await alternate(entries, rounds, progress)));
  rmSync(file);
  return answers;
}

function missing(of: { readonly missing?: string }): { readonly missing?: string } {
  return of.missing === undefined ? {} : { missing: of.missing };
}

const CASES = ["save from strata", "save from etcd", "restore"];

function show(answers: readonly Answered<CommandFigure>[], megabytes: number): void {
  const two = (value: number): string => value.toFixed(2);
  const rows: Record<string, string>[] = [];
  for (const name of CASES) {
    const all = ofCase(answers, name);
    const ours = all.filter(isAnswered).find((one) => one.name === "strata")?.rounds ?? [];
    for (const one of all) {
      if (!isAnswered(one)) {
        rows.push({ case: name, command: one.name, seconds: "missing" });
        continue;
      }
      const of = (value: (figure: CommandFigure) => number): ReturnType<typeof spread> =>
        spread(one.rounds.map(value));
      rows.push({
        case: name,
        command: one.name,
        seconds: shownSpread(
          of(({ seconds }) => seconds),
          two,
        ),
        "times strata's": shownSpread(
          ratios(one.rounds, ours, ({ seconds }) => seconds),
          two,
        ),
        "MB/s": (megabytes / of(({ seconds }) => seconds).median).toFixed(0),
        "CPU s": shownSpread(
          of(({ cpuSeconds }) => cpuSeconds),
          two,
        ),
        "peak RSS": shownSpread(
          of(({ peakRssBytes }) => peakRssBytes),
          mebibytes,
        ),
      });
    }
    const peak = spread(ours.map(({ peakRssBytes }) => peakRssBytes)).max;
    const theirs = all.filter(isAnswered).find((one) => one.name === "etcd")?.rounds;
    if (theirs === undefined) continue;
    const faster = ratios(theirs, ours, ({ seconds }) => seconds).median;
    const verdict = faster >= 1 && peak <= GOAL_PEAK_BYTES ? "met" : "missed";
    console.log(
      `${name}: ${two(faster)} times as fast, ${mebibytes(peak)} (goal 1.00, 200 MB): ${verdict}`,
    );
  }
  console.table(rows);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      megabytes: { type: "string" },
      rounds: { type: "string" },
      keep: { type: "string" },
      json: { type: "string" },
    },
  });
  const megabytes = Number(values.megabytes ?? (values.smoke ? 3 : 1000));
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  if (![megabytes, rounds].every((n) => Number.isInteger(n) && n > 0)) {
    throw new Error("--megabytes and --rounds are whole numbers from 1 on");
  }
  const folder = values.keep ?? scratchFolder("bench-snapshot");
  mkdirSync(folder, { recursive: true });
  const machine = describeMachine(folder);
  console.log(machine);
  const progress = (line: string): void => console.error(line);
  const answers = await measureSnapshots({ folder, megabytes, rounds, progress });
  show(answers, megabytes);
  sayMissing(answers);
  writeReport(values.json, { machine, megabytes, rounds, answers });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
