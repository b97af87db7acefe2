/**
 * How many warm point gets a second does a store in the process answer, of 1000, of 100,000 and of all of its 1,000,000
 * keys, read at random? The value is touched each time.
 *
 *     node dist/bench/store/gets.js [--smoke | --keys N --gets N] [--rounds N] [--only REGEX] [--json FILE]
 *
 * `npm run bench:peers` installs the peers from npm.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { judgeBench, type Measured } from "../../test/support/judge.ts";
import { peer } from "../../test/support/peers.ts";
import { showDigest } from "../../test/support/workload.ts";
import { describeMachine } from "../support/machine.ts";
import { startClock, stopped } from "../support/measure.ts";
import { spread } from "../support/report.ts";
import {
  type Answered,
  alternate,
  askSide,
  type Entry,
  isAnswered,
  mebibytes,
  ofCase,
  ratios,
  SIDE,
  sayMissing,
  shown,
  shownSpread,
} from "./alternate.ts";
import { loadPeer } from "./peers.ts";
import { LEVEL, LEVEL_SYNC, LMDB, SQLITE, STRATA, type StoreKind } from "./stores.ts";
import { keysToRead, READ_SEED, type ReadPlan, valuesOf } from "./workload.ts";

const VALUE_BYTES = 256;
const LOAD_TX_PUTS = 10_000;
const GOAL_PER_SECOND = 500_000;
const BBOLT = "bbolt";
const BBOLT_EACH = "bbolt, a transaction each";

interface Subject {
  readonly name: string;
  /** Subjects that read the same files, which are made once. */
  readonly files: string;
  readonly kind?: StoreKind;
}

const SUBJECTS: readonly Subject[] = [
  { name: STRATA.name, files: "strata", kind: STRATA },
  { name: LMDB.name, files: "lmdb", kind: LMDB },
  { name: LEVEL.name, files: "level", kind: LEVEL },
  { name: LEVEL_SYNC.name, files: "level", kind: LEVEL_SYNC },
  { name: SQLITE.name, files: "sqlite", kind: SQLITE },
  { name: BBOLT, files: "bbolt" },
  { name: BBOLT_EACH, files: "bbolt" },
];

/** `load` makes the files, and measures nothing that is shown. */
export interface GetQuestion extends ReadPlan {
  readonly subject: string;
  readonly work: "load" | "read";
  readonly folder: string;
}

export type Ask = (question: GetQuestion) => Promise<Measured>;

/** @param folder  where each subject's files are kept from one round to the next */
export function getEntries(plan: ReadPlan, folder: string, ask: Ask): Entry<Measured>[] {
  return SUBJECTS.map(({ name, files, kind }) => {
    const missing = whyNot(kind);
    return {
      name,
      ...(missing !== undefined && { missing }),
      run: () => ask({ ...plan, subject: name, work: "read", folder: join(folder, files) }),
    };
  });
}

/** Makes the files of all subjects that `only` lets through. */
export async function loadAll(
  plan: ReadPlan,
  folder: string,
  ask: Ask,
  only: RegExp = /./,
  progress: (line: string) => void = () => undefined,
): Promise<void> {
  const made = new Set<string>();
  for (const { name, files, kind } of SUBJECTS) {
    if (made.has(files) || !only.test(name) || whyNot(kind) !== undefined) continue;
    made.add(files);
    progress(`loading ${name}`);
    mkdirSync(join(folder, files), { recursive: true });
    await ask({ ...plan, subject: name, work: "load", folder: join(folder, files) });
  }
}

function whyNot(kind: StoreKind | undefined): string | undefined {
  if (kind === undefined) {
    const go = peer("go-bbolt");
    return go.found ? undefined : go.why;
  }
  const loaded = kind.package && loadPeer(kind.package);
  return loaded === undefined || loaded.found ? undefined : loaded.why;
}

export async function answerGets(question: GetQuestion): Promise<Measured> {
  const { subject, work, folder, keys } = question;
  const kind = SUBJECTS.find(({ name }) => name === subject)?.kind;
  if (kind === undefined) return askBbolt(question);
  const store = await kind.open(folder, 1);
  try {
    if (work === "load") {
      const clock = startClock();
      await store.load(keys, valuesOf(VALUE_BYTES));
      return { ...stopped(keys, clock), digest: "" };
    }
    const warm = keysToRead(question);
    const timed = keysToRead(question);
    await store.getAll(warm);
    const clock = startClock();
    const digest = await store.getAll(timed);
    return { ...stopped(timed.length, clock), digest: showDigest(digest) };
  } finally {
    await store.close();
  }
}

function askBbolt({ subject, work, folder, keys, hot, gets }: GetQuestion): Measured {
  const file = join(folder, "db");
  if (work === "load") {
    const [txSize, valueBytes] = [LOAD_TX_PUTS, VALUE_BYTES];
    return judgeBench({ mode: "load", file, n: keys, txSize, valueBytes });
  }
  const each = subject === BBOLT_EACH;
  const seed = READ_SEED;
  return judgeBench({ mode: "read", file, n: gets, hot, keySpace: keys, seed, each, warm: true });
}

/** @throws Error if a subject did not read the same as the others */
export function assertSameReads(answers: readonly Answered<Measured>[]): void {
  const digests = new Set<string>();
  for (const { rounds } of answers.filter(isAnswered)) {
    for (const { digest } of rounds) digests.add(digest);
  }
  if (digests.size > 1) throw new Error(`different answers: ${[...digests].join(", ")}`);
}

function speed({ ops, seconds }: Measured): number {
  return ops / seconds;
}

function cpuUs({ cpuSeconds, ops }: Measured): number {
  return (cpuSeconds / ops) * 1e6;
}

function showRows(hot: number, answers: readonly Answered<Measured>[]): object[] {
  const ours = answers.filter(isAnswered).find(({ name }) => name === STRATA.name)?.rounds;
  return answers.map((answered) => {
    const { name } = answered;
    if (!isAnswered(answered)) {
      return { "keys read": hot, store: name, "gets/s": "missing" };
    }
    const { rounds } = answered;
    const ratio = ours === undefined ? undefined : ratios(ours, rounds, speed);
    return {
      "keys read": hot,
      store: name,
      "gets/s": shownSpread(spread(rounds.map(speed))),
      "strata / it": ratio === undefined ? "" : shownSpread(ratio, (value) => value.toFixed(2)),
      "CPU µs": shown(spread(rounds.map(cpuUs)).median),
      peak: mebibytes(spread(rounds.map(({ peakRssBytes }) => peakRssBytes)).median),
    };
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      keys: { type: "string" },
      gets: { type: "string" },
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const keys = Number(values.keys ?? (values.smoke ? 20_000 : 1_000_000));
  const gets = Number(values.gets ?? (values.smoke ? 20_000 : 1_000_000));
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  if (![keys, gets, rounds].every((n) => Number.isInteger(n) && n > 0)) {
    throw new Error("--keys, --gets and --rounds are whole numbers from 1 on");
  }
  const only = new RegExp(values.only);
  const folder = scratchFolder("bench-gets");
  const machine = describeMachine(folder);
  console.log(machine);
  const ask = askSide<GetQuestion, Measured>(fileURLToPath(import.meta.url));
  const progress = (line: string): void => console.error(line);
  await loadAll({ keys, hot: keys, gets }, folder, ask, only, progress);
  const hots = [...new Set([1000, 100_000, keys].map((hot) => Math.min(hot, keys)))];
  const flat = hots.flatMap((hot) =>
    getEntries({ keys, hot, gets }, folder, ask)
      .filter(({ name }) => only.test(name))
      .map((entry) => ({ ...entry, name: `${hot} ${entry.name}` })),
  );
  const answers = await alternate(flat, rounds, progress);
  const rows = hots.flatMap((hot) => showRows(hot, ofCase(answers, `${hot}`)));
  console.table(rows);
  sayMissing(answers);
  for (const hot of hots) {
    const found = answers.find(({ name }) => name === `${hot} ${STRATA.name}`);
    if (found === undefined || !isAnswered(found)) continue;
    const { median } = spread(found.rounds.map(speed));
    const verdict = median >= GOAL_PER_SECOND ? "met" : "missed";
    console.log(`${hot} keys: ${Math.round(median)}/s (goal ${GOAL_PER_SECOND}/s): ${verdict}`);
  }
  if (values.json !== undefined) {
    const report = { at: new Date().toISOString(), machine, keys, gets, rounds, rows, answers };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  for (const hot of hots) assertSameReads(ofCase(answers, `${hot}`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, question] = process.argv.slice(2);
  if (first === SIDE && question !== undefined) {
    process.stdout.write(JSON.stringify(await answerGets(JSON.parse(question) as GetQuestion)));
  } else await main();
}
