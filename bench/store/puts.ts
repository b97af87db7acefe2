/**
 * How many durable puts of 256 bytes does a store in the process take from 1, 10, 100 and 1000 callers who each wait
 * for their last one; beside what the disk's own fdatasync allows, and beside other stores with equal durability?
 *
 *     node dist/bench/store/puts.js [--smoke | --scale X] [--rounds N] [--callers 1,10] [--only REGEX]
 *         [--settle MS] [--json FILE]
 *
 * `npm run bench:peers` installs the peers from npm. TMPDIR is the disk that is measured.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { Measured } from "../../test/support/judge.ts";
import { describeMachine } from "../support/machine.ts";
import { type Spread, spread } from "../support/report.ts";
import {
  type Answered,
  alternate,
  askSide,
  isAnswered,
  mebibytes,
  ofCase,
  ratios,
  sayMissing,
  shown,
  shownSpread,
} from "./alternate.ts";
import { loadPeer } from "./peers.ts";
import {
  CALLERS,
  LIMIT,
  type PutFigure,
  type PutQuestion,
  putEntries,
  putsOf,
  STORES,
} from "./put-side.ts";
import { STRATA } from "./stores.ts";

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
  const ask = askSide<PutQuestion, PutFigure>(join(import.meta.dirname, "put-side.js"));
  // All callers within a round, so that every figure has the same minutes.
  const cases = all.map((callers) => {
    const entries = putEntries({ callers, puts: putsOf(callers, scale), settleMs }, folder, ask);
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

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
