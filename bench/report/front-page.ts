/** What the README shows of a result: a few questions, those that strata loses among them, as a chart and a table. */
import { OURS } from "../suite/question.ts";
import type { QuestionResult, SuiteResult } from "../suite/result.ts";
import { verdictOf } from "../suite/verdict.ts";
import { shownFigure, shownRatio } from "./figures.ts";
import { largest, sideOf } from "./goal.ts";

interface FrontRow {
  /** A question of the suite. */
  readonly name: string;
  readonly peer: string;
  /** In the words of somebody who reads no further. */
  readonly words: string;
}

/** What people come for first, and where they would be worst off without having been told. */
export const FRONT_ROWS: readonly FrontRow[] = [
  { name: "server/puts/1x1", peer: "etcd", words: "durable puts over the wire, 1 connection" },
  { name: "server/puts/10x1", peer: "etcd", words: "the same, 10 connections" },
  { name: "server/puts/100x1", peer: "etcd", words: "the same, 100 connections" },
  {
    name: "server/puts/10x10",
    peer: "etcd",
    words: "the same, 10 connections, 10 at a time on each",
  },
  { name: "server/puts/by-value", peer: "etcd", words: "the same, values of 64 KiB" },
  { name: "server/gets/1x1", peer: "etcd", words: "linearizable gets over the wire, 1 connection" },
  {
    name: "server/gets/10x10",
    peer: "etcd",
    words: "the same, 10 connections, 10 at a time on each",
  },
  { name: "server/watch-fan-out", peer: "etcd", words: "events to 1,000 watchers" },
  { name: "store/start", peer: "etcd", words: "start on 1,000,000 keys" },
  { name: "store/start/memory", peer: "etcd", words: "memory for that" },
  {
    name: "maintenance/compaction",
    peer: "etcd",
    words: "compaction of a million revisions, in full use",
  },
  { name: "maintenance/defrag", peer: "etcd", words: "defragmentation, in full use" },
  { name: "maintenance/defrag/stall", peer: "etcd", words: "the longest wait of a put meanwhile" },
  { name: "maintenance/snapshot/save", peer: "etcd", words: "snapshot save by the real etcdctl" },
  {
    name: "commands/snapshot-status",
    peer: "etcdctl",
    words: "`snapshot status`, the whole command",
  },
  { name: "commands/defrag-etcdctl", peer: "etcdctl", words: "defragmenting a file" },
  { name: "commands/start-up/get", peer: "etcdctl", words: "`etcdctl get`, the whole command" },
  {
    name: "store/puts/1",
    peer: "better-sqlite3",
    words: "durable puts in a process, one at a time",
  },
  { name: "store/puts/1000", peer: "lmdb", words: "the same, 1,000 callers" },
  { name: "page-file/bulk-load", peer: "bbolt", words: "loading the page file in order" },
  { name: "page-file/random-get", peer: "bbolt", words: "random gets from it" },
  { name: "page-file/random-1", peer: "bbolt", words: "random puts, one a transaction" },
];

export const FRONT_CHART = "front.svg";

/** The result with nothing but what the front page shows. */
export function frontOf(result: SuiteResult): SuiteResult {
  const questions = FRONT_ROWS.flatMap(({ name, peer }) => {
    const question = result.questions.find((one) => one.name === name);
    return question === undefined ? [] : [onlyBeside(question, peer)];
  });
  return { ...result, questions };
}

function onlyBeside(question: QuestionResult, peer: string): QuestionResult {
  const sizes = question.sizes.slice(-1).map((size) => ({
    ...size,
    ratios: Object.fromEntries(Object.entries(size.ratios).filter(([name]) => name === peer)),
  }));
  return { ...question, sizes };
}

/** @param chart  the path of the chart from where the page is */
export function frontPage(result: SuiteResult, chart: string): string {
  const { machine, peers, at } = result;
  const found = Object.entries(peers).flatMap(([name, of]) =>
    "version" in of ? [`${name} ${of.version}`] : [],
  );
  const goals = result.questions.filter((question) => verdictOf(question) !== undefined);
  const met = goals.filter((question) => verdictOf(question) === "met");
  return `\`npm run bench\` of ${at.slice(0, 10)}, strata ${result.strata}: ${machine.cores} cores of ${machine.cpu}, ${machine.fileSystem}, fdatasync of 4 KiB ${machine.fdatasync.medianUs} µs, Node ${machine.node}; ${found.join(", ")}. Each peer in the same run, in turns, with the same durability; medians, and the ratio pair by pair: above 1 strata is better. ${met.length} of ${goals.length} goals were met: [all of them](docs/goals.md), and what stands in the way of the others.

![Ratios of strata to its peers](${chart})

| question | strata | peer | ratio |
| --- | --- | --- | --- |
${FRONT_ROWS.map((row) => tableRow(row, result)).join("\n")}
`;
}

function tableRow({ name, peer, words }: FrontRow, result: SuiteResult): string {
  const question = result.questions.find((one) => one.name === name);
  const size = question && largest(question);
  const ratio = size?.ratios[peer];
  const [ours, theirs] = [OURS, peer].map((side) => size && sideOf(size, side));
  if (question === undefined || ratio === undefined)
    return `| ${words} | not measured | ${peer} | |`;
  const { unit } = question;
  const figure = (side: typeof ours): string =>
    side !== undefined && "spread" in side ? withUnit(side.spread.median, unit) : "missing";
  const times = shownRatio(ratio.median).replace("×", "");
  return `| ${words} | ${figure(ours)} | ${peer} ${figure(theirs)} | ${ratio.median < 1 ? `**${times}**` : times} |`;
}

/** "41,160/s" says what it is of in its row; "2.41 s" does not. */
export function withUnit(value: number, unit: string): string {
  return unit.endsWith("/s") && !unit.startsWith("MB")
    ? `${shownFigure(value)}/s`
    : `${shownFigure(value)} ${unit}`;
}
