/**
 * From the start of a process to its first answer, on a data dir of 1,000,000 keys: strata in a Node process, and a
 * real etcd, each on a copy of its own; and the memory that they have by then.
 *
 *     node dist/bench/store/start.js [--smoke | --keys N] [--rounds N] [--keep] [--json FILE]
 *
 * The data dir is made by strata's puts, in TMPDIR; with --keep it stays there, and is found by the next run.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { peer } from "../../test/support/peers.ts";
import { RealEtcd } from "../../test/support/real-etcd.ts";
import { describeMachine } from "../support/machine.ts";
import { type Spread, spread } from "../support/report.ts";
import {
  type Answered,
  alternate,
  type Entry,
  isAnswered,
  mebibytes,
  ratios,
  sayMissing,
  shownSpread,
} from "./alternate.ts";
import { copyDataDir, databaseBytes, madeDataDir, writeReport } from "./data-dir.ts";
import { residentBytes } from "./resident.ts";
import type { StartAnswer } from "./start-side.ts";
import { keyOf } from "./workload.ts";

export interface StartFigure {
  /** By the clock of whoever started the process. */
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly rssBytes: number;
  readonly value: string;
  /** What strata alone says of itself. */
  readonly side?: StartAnswer;
}

const GOAL_SECONDS = 3;
const GOAL_PEAK_BYTES = 650 * 2 ** 20;
const READY_TIMEOUT_MS = 180_000;

export async function startStrata(
  dataDir: string,
  key: string,
  program: string,
): Promise<StartFigure> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, program, dataDir, key], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let stderr = "";
  let seconds = Number.NaN;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (said === "") seconds = (performance.now() - startMs) / 1000;
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  const side = JSON.parse(said) as StartAnswer;
  const { peakRssBytes, rssBytes, value } = side;
  return { seconds, peakRssBytes, rssBytes, value, side };
}

export async function startEtcd(dataDir: string, key: string): Promise<StartFigure> {
  const startMs = performance.now();
  const readyTimeoutMs = READY_TIMEOUT_MS;
  await using etcd = await RealEtcd.start({ dataDir, name: "default", readyTimeoutMs });
  const range = { key: Buffer.from(key).toString("base64") };
  const { kvs } = (await etcd.call("/v3/kv/range", range)) as { kvs?: { value: string }[] };
  const seconds = (performance.now() - startMs) / 1000;
  const [peakRssBytes, rssBytes] = [
    residentBytes(etcd.pid, "VmHWM"),
    residentBytes(etcd.pid, "VmRSS"),
  ];
  await etcd.stop();
  const value = Buffer.from(kvs?.[0]?.value ?? "", "base64").toString("hex");
  return { seconds, peakRssBytes, rssBytes, value };
}

export interface StartOptions {
  /** Never to be opened. */
  readonly made: string;
  readonly folder: string;
  readonly keys: number;
  readonly rounds: number;
  /** start-side.js */
  readonly program: string;
  readonly progress?: (line: string) => void;
}

/** @throws Error if the two did not read the same value */
export async function measureStart(options: StartOptions): Promise<Answered<StartFigure>[]> {
  const { made, folder, keys, rounds, program } = options;
  const key = keyOf(Math.floor(keys / 2));
  const etcd = peer("etcd");
  const [ours, theirs] = [join(folder, "ours"), join(folder, "theirs")];
  copyDataDir(made, ours);
  if (etcd.found) copyDataDir(made, theirs);
  const entries: Entry<StartFigure>[] = [
    { name: "strata", run: () => startStrata(ours, key, program) },
    {
      name: `etcd ${etcd.found ? etcd.version : ""}`.trim(),
      ...(!etcd.found && { missing: etcd.why }),
      run: () => startEtcd(theirs, key),
    },
  ];
  const all = await alternate(entries, rounds > 1 ? rounds + 1 : 1, options.progress);
  // The first round warms the caches of both.
  const answers = all.map((one) =>
    isAnswered(one) && rounds > 1 ? { ...one, rounds: one.rounds.slice(1) } : one,
  );
  const values = answers.filter(isAnswered).flatMap((one) => one.rounds.map(({ value }) => value));
  if (new Set(values).size > 1 || values.includes("")) throw new Error("different answers");
  return answers;
}

function show(answers: readonly Answered<StartFigure>[]): void {
  const ours = answers.filter(isAnswered).find(({ name }) => name === "strata")?.rounds ?? [];
  const seconds = (one: StartFigure): number => one.seconds;
  const two = (value: number): string => value.toFixed(2);
  console.table(
    answers.map((answered) => {
      const { name } = answered;
      if (!isAnswered(answered)) return { name, "first answer, s": "missing" };
      const { rounds } = answered;
      const of = (value: (figure: StartFigure) => number): Spread => spread(rounds.map(value));
      return {
        name,
        "first answer, s": shownSpread(of(seconds), two),
        "times strata's": shownSpread(ratios(rounds, ours, seconds), two),
        "peak RSS": shownSpread(
          of((one) => one.peakRssBytes),
          mebibytes,
        ),
        "RSS then": shownSpread(
          of((one) => one.rssBytes),
          mebibytes,
        ),
      };
    }),
  );
  const sides = ours.flatMap(({ side }) => side ?? []);
  const side = (value: (answer: StartAnswer) => number): number => spread(sides.map(value)).median;
  console.log(
    `strata: imported after ${side((one) => one.importedMs).toFixed(0)} ms, ` +
      `opened in ${side((one) => one.openMs).toFixed(0)} ms, ` +
      `answered after ${side((one) => one.answeredMs).toFixed(0)} ms by its own clock; ` +
      `key index ${side(({ indexBytes, keys }) => indexBytes / keys).toFixed(1)} bytes a key`,
  );
  const middle = spread(ours.map(seconds)).median;
  const peak = spread(ours.map((one) => one.peakRssBytes)).median;
  const verdict = middle <= GOAL_SECONDS && peak <= GOAL_PEAK_BYTES ? "met" : "missed";
  console.log(`${middle.toFixed(2)} s, ${mebibytes(peak)} (goal 3 s, 650 MiB): ${verdict}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      keys: { type: "string" },
      rounds: { type: "string" },
      keep: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const keys = Number(values.keys ?? (values.smoke ? 3000 : 1_000_000));
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  if (![keys, rounds].every((n) => Number.isInteger(n) && n > 0)) {
    throw new Error("--keys and --rounds are whole numbers from 1 on");
  }
  const folder = scratchFolder("bench-start");
  const machine = describeMachine(folder);
  console.log(machine);
  const progress = (line: string): void => console.error(line);
  progress(`making ${keys} keys`);
  const made = madeDataDir(keys, values.keep, folder);
  console.log(`${keys} keys, database of ${mebibytes(databaseBytes(made))}`);
  const program = join(dirname(fileURLToPath(import.meta.url)), "start-side.js");
  const answers = await measureStart({ made, folder, keys, rounds, program, progress });
  show(answers);
  sayMissing(answers);
  writeReport(values.json, { machine, keys, rounds, answers });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
