/** The figures as a table for people, with what they are of a quiet minute, and whether the goals are met. */
import { mebibytes } from "../store/alternate.ts";
import { spread } from "../support/report.ts";
import type { Round } from "./measure.ts";
import type { PhaseFigure, Stretch } from "./measure-phase.ts";
import type { Goals, Phase } from "./phases.ts";
import type { SaveSpeed } from "./side.ts";

const LEGEND =
  "milliseconds from when a request was due; held back: 1,000 were on their way, and others that were due had to wait";
const P99_BY_QUIET_MAX = 2;
const PUTS_BY_QUIET_MIN = 0.4;
const SAVE_BY_ETCD_MIN = 2;

/** One phase on one side: medians over the rounds, and the worst of what is a maximum. */
interface Row {
  readonly phase: Phase;
  readonly side: "strata" | "etcd";
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly stallMs: number;
  readonly perSecond: number;
  readonly getsP50Ms: number;
  readonly getsP99Ms: number;
  readonly getsMaxMs: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly runs: number;
  readonly tookMs: number;
  readonly afterP99Ms: number;
  readonly afterStallMs: number;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly anonBytes: number;
  readonly fileBefore: number;
  readonly fileAfter: number;
  readonly loadAverage: number;
  readonly remarks: string;
}

function rowOf(phase: Phase, side: Row["side"], figures: readonly PhaseFigure[]): Row {
  const median = (value: (one: PhaseFigure) => number | undefined): number =>
    spread(figures.map((one) => value(one) ?? Number.NaN)).median;
  const worst = (value: (one: PhaseFigure) => number | undefined): number =>
    Math.max(...figures.map((one) => value(one) ?? Number.NaN));
  const took = figures.flatMap(({ tookMs }) => tookMs);
  return {
    phase,
    side,
    p50Ms: median(({ during }) => during.puts.p50Ms),
    p99Ms: median(({ during }) => during.puts.p99Ms),
    maxMs: worst(({ during }) => during.puts.maxMs),
    stallMs: worst(({ during }) => during.puts.stallMs),
    perSecond: median(({ during }) => during.puts.perSecond),
    getsP50Ms: median(({ during }) => during.gets.p50Ms),
    getsP99Ms: median(({ during }) => during.gets.p99Ms),
    getsMaxMs: worst(({ during }) => during.gets.maxMs),
    loopP99Ms: median(({ during }) => during.server.loopP99Ms),
    loopMaxMs: worst(({ during }) => during.server.loopMaxMs),
    runs: took.length,
    tookMs: spread(took).median,
    afterP99Ms: median(({ after }) => after?.puts.p99Ms),
    afterStallMs: worst(({ after }) => after?.puts.stallMs),
    cpu: median(({ during }) => during.server.cpu),
    rssBytes: worst(({ during }) => during.server.rssMaxBytes),
    anonBytes: worst(({ during }) => during.server.anonMaxBytes),
    fileBefore: median(({ databaseBytes }) => databaseBytes.before),
    fileAfter: median(({ databaseBytes }) => databaseBytes.after),
    loadAverage: worst(({ loadAverage }) => Math.max(loadAverage.before, loadAverage.after)),
    remarks: remarksOf(figures),
  };
}

/** What puts a figure in question. */
function remarksOf(figures: readonly PhaseFigure[]): string {
  const stretches = figures.flatMap(({ during, after }) => [during, ...(after ? [after] : [])]);
  const all = (value: (of: Stretch) => number): number =>
    stretches.reduce((sum, one) => sum + value(one), 0);
  const remarks: string[] = [];
  if (stretches.some(({ puts }) => puts.held)) remarks.push("puts held back");
  if (stretches.some(({ gets }) => gets.held)) remarks.push("gets held back");
  const dropped = all(({ puts, gets }) => puts.dropped + gets.dropped);
  if (dropped > 0) remarks.push(`${dropped} never sent`);
  const failed = all(({ puts, gets }) => puts.failed + gets.failed);
  if (failed > 0) remarks.push(`${failed} FAILED`);
  for (const { failure } of figures) {
    if (failure !== undefined) remarks.push(`the work FAILED: ${failure}`);
  }
  return remarks.join(", ");
}

/** @param rounds  of phases in the same order */
function rowsOf(rounds: readonly Round[], phases: readonly Phase[]): Row[] {
  return phases.flatMap((phase) =>
    (["strata", "etcd"] as const).flatMap((side) => {
      const figures = rounds
        .flatMap((round) => round.figures)
        .filter((one) => one.phase === phase.name && one.side === side);
      return figures.length === 0 ? [] : [rowOf(phase, side, figures)];
    }),
  );
}

export function show(rounds: readonly Round[], phases: readonly Phase[]): string {
  const rows = rowsOf(rounds, phases);
  const quiet = (side: Row["side"]): Row | undefined =>
    rows.find((row) => row.side === side && row.phase.name === "quiet");
  const head = [
    "beside",
    "",
    "puts: p50",
    "p99",
    "× quiet",
    "max",
    "stall",
    "a second",
    "of quiet",
    "gets: p50",
    "p99",
    "max",
    "loop: p99",
    "max",
    "work: runs",
    "s",
    "after: p99",
    "stall",
    "CPU",
    "RSS",
    "anon",
    "file, MiB",
    "load",
    "",
  ];
  const lines = rows.map((row) => {
    const calm = quiet(row.side);
    return [
      row.phase.name,
      row.side,
      ms(row.p50Ms),
      ms(row.p99Ms),
      calm === undefined ? "" : ratio(row.p99Ms / calm.p99Ms),
      ms(row.maxMs),
      ms(row.stallMs),
      Math.round(row.perSecond).toString(),
      calm === undefined ? "" : percent(row.perSecond / calm.perSecond),
      ms(row.getsP50Ms),
      ms(row.getsP99Ms),
      ms(row.getsMaxMs),
      ms(row.loopP99Ms),
      ms(row.loopMaxMs),
      row.runs === 0 ? "" : row.runs.toString(),
      Number.isNaN(row.tookMs) ? "" : (row.tookMs / 1000).toFixed(2),
      ms(row.afterP99Ms),
      ms(row.afterStallMs),
      ratio(row.cpu),
      mebibytes(row.rssBytes),
      mebibytes(row.anonBytes),
      `${Math.round(row.fileBefore / 2 ** 20)} → ${Math.round(row.fileAfter / 2 ** 20)}`,
      ratio(row.loadAverage),
      row.remarks,
    ];
  });
  const parts = [LEGEND, table([head, ...lines])];
  parts.push(...showSaves(rounds), ...rows.flatMap((row) => verdict(row, rows, quiet(row.side))));
  return parts.join("\n");
}

/** Of strata's rows alone. */
function verdict(row: Row, rows: readonly Row[], calm: Row | undefined): string[] {
  if (row.side !== "strata" || calm === undefined || row === calm) return [];
  const { goals, name } = row.phase;
  const theirs = rows.find((one) => one.side === "etcd" && one.phase === row.phase);
  const byQuiet = row.p99Ms / calm.p99Ms;
  const ofQuiet = row.perSecond / calm.perSecond;
  const said = [
    judged(`p99 ${ratio(byQuiet)} × quiet`, `≤ ${P99_BY_QUIET_MAX}`, byQuiet <= P99_BY_QUIET_MAX),
    judged(`puts ${percent(ofQuiet)}`, "≥ 40 %", ofQuiet >= PUTS_BY_QUIET_MIN),
    ...judgedByGoals(row, goals, theirs),
  ];
  return [`${name}: ${said.join("; ")}`];
}

function judgedByGoals(row: Row, goals: Goals, theirs: Row | undefined): string[] {
  const said: string[] = [];
  const beside = (value: string): string => (theirs === undefined ? "" : `, etcd ${value}`);
  if (goals.stallMs !== undefined) {
    const text = `worst stall ${ms(row.stallMs)} ms`;
    const goal = `≤ ${goals.stallMs}${beside(ms(theirs?.stallMs ?? 0))}`;
    said.push(judged(text, goal, row.stallMs <= goals.stallMs));
  }
  const took = `took ${(row.tookMs / 1000).toFixed(2)} s`;
  const theirTook = ((theirs?.tookMs ?? 0) / 1000).toFixed(2);
  if (goals.tookMs !== undefined) {
    const goal = `≤ ${goals.tookMs / 1000}${beside(theirTook)}`;
    said.push(judged(took, goal, row.tookMs <= goals.tookMs));
  }
  if (goals.noSlowerThanEtcd && theirs !== undefined) {
    said.push(judged(took, `≤ etcd's ${theirTook}`, row.tookMs <= theirs.tookMs));
  }
  return said;
}

function judged(what: string, goal: string, met: boolean): string {
  return `${what} (goal ${goal}) ${met ? "met" : "MISSED"}`;
}

function showSaves(rounds: readonly Round[]): string[] {
  const speed = (side: string, took: (of: SaveSpeed) => readonly number[]): number =>
    spread(
      rounds.flatMap(({ saves }) => {
        const saved = saves[side];
        return saved === undefined ? [] : took(saved).map((one) => saved.bytes / 1e3 / one);
      }),
    ).median;
  const shown = (value: number): string => (Number.isNaN(value) ? "" : `${Math.round(value)} MB/s`);
  const line = (what: string, ours: number, theirs: number): string => {
    const said = `snapshot ${what}, without a load: strata ${shown(ours)}`;
    if (Number.isNaN(theirs)) return said;
    const by = ours / theirs;
    const goal = judged(`${ratio(by)} × etcd's`, `≥ ${SAVE_BY_ETCD_MIN}`, by >= SAVE_BY_ETCD_MIN);
    return `${said}, etcd ${shown(theirs)}: ${goal}`;
  };
  const byEtcdctl = ({ etcdctlMs }: SaveSpeed): readonly number[] => etcdctlMs;
  const received = ({ receivedMs }: SaveSpeed): readonly number[] => receivedMs;
  const saved = speed("etcd", byEtcdctl);
  return [
    line("save by the real etcdctl", speed("strata", byEtcdctl), saved),
    line(
      "save by our etcdctl (etcd: by the real one)",
      speed("strata", ({ ourEtcdctlMs }) => ourEtcdctlMs),
      saved,
    ),
    line("sent, and thrown away", speed("strata", received), speed("etcd", received)),
  ];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** Nothing for what was not measured. */
function ms(value: number): string {
  if (Number.isNaN(value)) return "";
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
}

function ratio(value: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(2);
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}
