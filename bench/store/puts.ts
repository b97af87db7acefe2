/**
 * How many durable puts of 256 bytes does a store in the process take from 1, 10, 100 and 1000 callers who each wait
 * for their last one; beside what the disk's own fdatasync allows, and beside other stores with equal durability?
 *
 *     node dist/bench/store/puts.js [--smoke | --scale X] [--rounds N] [--callers 1,10] [--only REGEX]
 *         [--settle MS] [--json FILE]
 *
 * `npm run bench:peers` installs the peers from npm. TMPDIR is the disk that is measured.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SystemFile } from "../../native-free/file.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { judgeBench, type Measured } from "../../test/support/judge.ts";
import { peer } from "../../test/support/peers.ts";
import { ContentDigest } from "../../test/support/workload.ts";
import { describeMachine } from "../support/machine.ts";
import { startClock, stopped } from "../support/measure.ts";
import { type Spread, spread } from "../support/report.ts";
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
import { LEVEL, LMDB, LMDB_FLUSHED, putAll, SQLITE, STRATA, type StoreKind } from "./stores.ts";
import { keyOf, quantile, valuesOf } from "./workload.ts";

const VALUE_BYTES = 256;
/** Key, value, and what a log has around them. */
const RECORD_BYTES = 300;
const PIECE_BYTES = 1024 * 1024;
const STORES: readonly StoreKind[] = [STRATA, LMDB, LMDB_FLUSHED, LEVEL, SQLITE];
const LIMIT = "fdatasync";
const BBOLT = "bbolt";

export const CALLERS: readonly number[] = [1, 10, 100, 1000];

/** Puts of a round, by callers: about a second of the fastest. */
const PUTS: Readonly<Record<number, number>> = { 1: 5000, 10: 20_000, 100: 60_000, 1000: 150_000 };
const WARM_PART = 0.2;
const PUTS_MIN = 5;

export interface PutQuestion {
  readonly subject: string;
  /** Empty, and on the disk that is measured. */
  readonly folder: string;
  readonly callers: number;
  readonly puts: number;
  readonly warmPuts: number;
  /**
   * Between those and the clock: a log of strata's makes its next segment then, of 64 MB, which is work for 190,000
   * puts to come, and not for the few that one caller makes.
   */
  readonly settleMs: number;
}

export interface PutFigure extends Measured {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** @param ask  puts the question to a subject in a process of its own */
export function putEntries(
  { callers, scale, settleMs }: { callers: number; scale: number; settleMs: number },
  folder: string,
  ask: (question: PutQuestion) => Promise<PutFigure>,
): Entry<PutFigure>[] {
  const puts = Math.max(Math.round((PUTS[callers] ?? 200 * callers) * scale), PUTS_MIN);
  const warmPuts = Math.round(puts * WARM_PART);
  const entry = (subject: string, why: string | undefined): Entry<PutFigure> => ({
    name: subject,
    ...(why !== undefined && { missing: why }),
    run: async () => {
      const own = join(folder, "puts");
      try {
        return await ask({ subject, folder: own, callers, puts, warmPuts, settleMs });
      } finally {
        rmSync(own, { recursive: true, force: true });
        rmSync(`${own}.limit`, { force: true });
        rmSync(`${own}.db`, { force: true });
      }
    },
  });
  const stores = STORES.map(({ name, package: needed }) => entry(name, needed && whyNot(needed)));
  const go = peer("go-bbolt");
  const bbolt = entry(BBOLT, go.found ? undefined : go.why);
  return [...(callers === 1 ? [entry(LIMIT, undefined)] : []), ...stores, bbolt];
}

function whyNot(needed: NonNullable<StoreKind["package"]>): string | undefined {
  const loaded = loadPeer(needed);
  return loaded.found ? undefined : loaded.why;
}

export async function answerPuts(question: PutQuestion): Promise<PutFigure> {
  const { subject, folder, callers, puts, warmPuts, settleMs } = question;
  if (subject === LIMIT) return measureLimit(`${folder}.limit`, puts);
  if (subject === BBOLT) {
    const [n, file, valueBytes] = [puts, `${folder}.db`, VALUE_BYTES];
    const measured = judgeBench({ mode: "put", file, n, callers, warmPuts, valueBytes });
    return { ...measured, p50Us: measured.p50Us ?? 0, p99Us: measured.p99Us ?? 0 };
  }
  const kind = STORES.find(({ name }) => name === subject);
  if (kind === undefined) throw new Error(`there is no subject ${subject}`);
  const value = valuesOf(VALUE_BYTES);
  const store = await kind.open(folder, callers);
  const took = new Float64Array(puts);
  const total = warmPuts + puts;
  await putAll(store, value, { from: 0, to: warmPuts, callers });
  await setTimeout(settleMs);
  const clock = startClock();
  await putAll(store, value, { from: warmPuts, to: total, callers }, took);
  const measured = stopped(puts, clock);
  const digest = new ContentDigest();
  for (let i = 0; i < total; i++) {
    const found = await store.get(keyOf(i));
    if (found !== undefined) digest.add(Buffer.from(keyOf(i)), found);
  }
  await store.close();
  return { ...measured, digest: digest.end(), ...latencies(took) };
}

/** One record appended to a zero-filled file, and fdatasync, again and again: the loop of one caller. */
function measureLimit(path: string, records: number): PutFigure {
  const file = new SystemFile(path, "create");
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < records * RECORD_BYTES; at += PIECE_BYTES) file.write(at, piece);
  file.sync();
  const record = new Uint8Array(RECORD_BYTES).fill(1);
  const took = new Float64Array(records);
  const clock = startClock();
  for (let i = 0; i < records; i++) {
    const start = performance.now();
    file.write(i * RECORD_BYTES, record);
    file.sync();
    took[i] = performance.now() - start;
  }
  const measured = stopped(records, clock);
  file.close();
  return { ...measured, digest: "", ...latencies(took) };
}

function latencies(tookMs: Float64Array): Pick<PutFigure, "p50Us" | "p99Us"> {
  const sorted = tookMs.toSorted();
  return { p50Us: quantile(sorted, 0.5) * 1000, p99Us: quantile(sorted, 0.99) * 1000 };
}

/** @throws Error if a subject did not do the same work as the others */
export function assertSameWork(answers: readonly Answered<PutFigure>[]): void {
  const digests = new Set<string>();
  for (const answered of answers.filter(isAnswered)) {
    if (answered.name === LIMIT) continue;
    for (const { digest } of answered.rounds) digests.add(digest);
  }
  if (digests.size > 1) throw new Error(`different content: ${[...digests].join(", ")}`);
}

interface Row {
  readonly callers: number;
  readonly name: string;
  readonly missing?: string;
  readonly perSecond?: Spread;
  /** Strata's speed by this one's. */
  readonly ratio?: Spread;
  readonly p50Us?: Spread;
  readonly p99Us?: Spread;
  readonly cpuUs?: Spread;
  readonly peakRssBytes?: Spread;
}

function rowOf(
  callers: number,
  answered: Answered<PutFigure>,
  ours: readonly PutFigure[] | undefined,
): Row {
  const { name } = answered;
  if (!isAnswered(answered)) return { callers, name, missing: answered.missing };
  const { rounds } = answered;
  const of = (value: (figure: PutFigure) => number): Spread => spread(rounds.map(value));
  return {
    callers,
    name,
    perSecond: of(speed),
    ...(ours !== undefined && { ratio: ratios(ours, rounds, speed) }),
    p50Us: of(({ p50Us }) => p50Us),
    p99Us: of(({ p99Us }) => p99Us),
    cpuUs: of(({ cpuSeconds, ops }) => (cpuSeconds / ops) * 1e6),
    peakRssBytes: of(({ peakRssBytes }) => peakRssBytes),
  };
}

function speed({ ops, seconds }: Measured): number {
  return ops / seconds;
}

function showRow(row: Row): object {
  const { callers, name, perSecond, ratio, p50Us, p99Us, cpuUs, peakRssBytes } = row;
  if (perSecond === undefined) return { callers, store: name, "puts/s": "missing" };
  return {
    callers,
    store: name,
    "puts/s": shownSpread(perSecond),
    "strata / it": ratio === undefined ? "" : shownSpread(ratio, (value) => value.toFixed(2)),
    "p50 µs": shown(p50Us?.median ?? 0),
    "p99 µs": shown(p99Us?.median ?? 0),
    "CPU µs": shown(cpuUs?.median ?? 0),
    peak: mebibytes(peakRssBytes?.median ?? 0),
  };
}

/** What was promised, and what came out. */
function verdicts(rows: readonly Row[]): string[] {
  const lines: string[] = [];
  const limit = rows.find(({ name, callers }) => name === LIMIT && callers === 1);
  if (limit?.ratio !== undefined) {
    const { median } = limit.ratio;
    const verdict = median >= 0.9 ? "met" : "missed";
    lines.push(`1 caller: ${median.toFixed(2)} of the limit (goal 0.9): ${verdict}`);
  }
  const many = rows.filter(({ callers, perSecond }) => callers === 1000 && perSecond);
  const ours = many.find(({ name }) => name === STRATA.name)?.perSecond?.median;
  const peers = many.filter(({ name }) => name !== STRATA.name);
  const best = peers.sort((a, b) => (a.ratio?.median ?? 0) - (b.ratio?.median ?? 0))[0];
  if (ours !== undefined) {
    const met = ours >= 100_000 || (best?.ratio?.median ?? 0) >= 2;
    const beside = best ? `, ${best.ratio?.median.toFixed(2)} × the best peer, ${best.name}` : "";
    const verdict = met ? "met" : "missed";
    lines.push(
      `1000 callers: ${shown(ours)}/s${beside} (goal 100,000/s or 2 × the best peer): ${verdict}`,
    );
  }
  return lines;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      scale: { type: "string" },
      rounds: { type: "string" },
      callers: { type: "string", default: CALLERS.join(",") },
      only: { type: "string", default: "" },
      settle: { type: "string" },
      json: { type: "string" },
    },
  });
  const scale = Number(values.scale ?? (values.smoke ? 0.02 : 1));
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  const all = values.callers.split(",").map(Number);
  if (!(scale > 0 && Number.isInteger(rounds) && rounds > 0 && all.every((n) => n > 0))) {
    throw new Error("--scale, --rounds and --callers are above 0");
  }
  const settleMs = Number(values.settle ?? (values.smoke ? 0 : 1000));
  const only = new RegExp(values.only);
  const folder = scratchFolder("bench-puts");
  const machine = describeMachine(folder);
  console.log(machine);
  for (const { name, about, package: needed } of STORES) {
    const loaded = needed && loadPeer(needed);
    const version = loaded === undefined ? "" : loaded.found ? ` ${loaded.version}` : ` MISSING`;
    console.log(`${name}${version}: ${about}`);
  }
  const ask = askSide<PutQuestion, PutFigure>(fileURLToPath(import.meta.url));
  // All callers within a round, so that every figure has the same minutes.
  const cases = all.map((callers) => {
    const entries = putEntries({ callers, scale, settleMs }, folder, ask);
    return { callers, entries: entries.filter(({ name }) => only.test(name)) };
  });
  const flat = cases.flatMap(({ callers, entries }) =>
    entries.map((entry) => ({ ...entry, name: `${callers} ${entry.name}` })),
  );
  const answers = await alternate(flat, rounds, (line) => console.error(line));
  const byCallers = cases.map(({ callers }) => ({ callers, some: ofCase(answers, `${callers}`) }));
  const rows = byCallers.flatMap(({ callers, some }) => {
    const ours = some.filter(isAnswered).find(({ name }) => name === STRATA.name)?.rounds;
    return some.map((answered) => rowOf(callers, answered, ours));
  });
  console.table(rows.map(showRow));
  sayMissing(answers);
  for (const line of verdicts(rows)) console.log(line);
  if (values.json !== undefined) {
    const report = { at: new Date().toISOString(), machine, scale, rounds, rows };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  for (const { some } of byCallers) assertSameWork(some);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, question] = process.argv.slice(2);
  if (first === SIDE && question !== undefined) {
    process.stdout.write(JSON.stringify(await answerPuts(JSON.parse(question) as PutQuestion)));
  } else await main();
}
