/** Figures of a run: medians, the spread, and the ratio of each pair, since only a pair ran at the same time. */
import type { Measured } from "../../test/support/judge.ts";
import type { Result, Round } from "./runner.ts";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Summary {
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  /** Operations per second. */
  readonly ours: Spread;
  readonly theirs?: Spread;
  /** Ours by theirs, pair by pair. */
  readonly ratio?: Spread;
  /** The same of the processors' time alone: what both sides cost a machine that has other work too. */
  readonly cpuRatio?: Spread;
  readonly goal?: number;
  /** Medians. */
  readonly oursPeakRssBytes: number;
  readonly theirsPeakRssBytes?: number;
  readonly ops: number;
  readonly digest: string;
}

export function summarise({ question, rounds }: Result): Summary {
  const { name, about, unit, goal } = question;
  const pairs = rounds.filter(hasPeer);
  const [first] = rounds;
  if (first === undefined) throw new Error(`${name}: no rounds`);
  return {
    name,
    about,
    unit,
    ours: spread(rounds.map((round) => speed(round.ours))),
    ...(pairs.length > 0 && {
      theirs: spread(pairs.map((pair) => speed(pair.theirs))),
      ratio: spread(pairs.map((pair) => speed(pair.ours) / speed(pair.theirs))),
      cpuRatio: spread(pairs.map((pair) => pair.theirs.cpuSeconds / pair.ours.cpuSeconds)),
      theirsPeakRssBytes: spread(pairs.map((pair) => pair.theirs.peakRssBytes)).median,
    }),
    ...(goal !== undefined && { goal }),
    oursPeakRssBytes: spread(rounds.map((round) => round.ours.peakRssBytes)).median,
    ops: first.ours.ops,
    digest: first.ours.digest,
  };
}

function hasPeer(round: Round): round is Round & { readonly theirs: Measured } {
  return round.theirs !== undefined;
}

function speed({ ops, seconds }: Measured): number {
  return ops / seconds;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN;
  return {
    median: (low + high) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/** A table for people, one question a line. */
export function showTable(summaries: readonly Summary[]): string {
  const head = [
    "",
    "per second: ours",
    "bbolt",
    "ratio",
    "goal",
    "",
    "CPU ratio",
    "peak RSS: ours",
    "bbolt",
  ];
  const rows = summaries.map((each) => [
    `${each.name} (${shown(each.ops)} ${each.unit})`,
    shownSpread(each.ours, shown),
    each.theirs === undefined ? "missing" : shownSpread(each.theirs, shown),
    each.ratio === undefined ? "" : shownSpread(each.ratio, (value) => value.toFixed(2)),
    each.goal === undefined ? "" : each.goal.toFixed(1),
    verdict(each),
    each.cpuRatio === undefined ? "" : each.cpuRatio.median.toFixed(2),
    mebibytes(each.oursPeakRssBytes),
    each.theirsPeakRssBytes === undefined ? "" : mebibytes(each.theirsPeakRssBytes),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map(line).join("\n");
}

function verdict({ ratio, goal }: Summary): string {
  if (ratio === undefined || goal === undefined) return "";
  return ratio.median >= goal ? "met" : "missed";
}

function shownSpread({ median, min, max }: Spread, show: (value: number) => string): string {
  return `${show(median)} (${show(min)}–${show(max)})`;
}

function shown(value: number): string {
  return value >= 100
    ? Math.round(value).toLocaleString("en")
    : Number(value.toPrecision(3)).toString();
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
