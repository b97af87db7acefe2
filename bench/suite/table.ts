/** A result for people: where it was measured, who was missing, and a table for each group. */
import Table from "cli-table3";
import { shown, shownSpread } from "../store/alternate.ts";
import type { Spread } from "../support/report.ts";
import { type Goal, type Group, OURS } from "./question.ts";
import type { QuestionResult, SideResult, SizeResult, SuiteResult } from "./result.ts";
import { verdictOf } from "./verdict.ts";

const RULES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
} as const;

const HEAD = ["question", "size", "strata", "peer", "its figure", "ratio", "goal", ""];

export function showResult(result: SuiteResult): string {
  const groups = new Map<Group, QuestionResult[]>();
  for (const question of result.questions) {
    groups.set(question.group, [...(groups.get(question.group) ?? []), question]);
  }
  const tables = [...groups].map(([group, questions]) => showGroup(group, questions));
  return [showHead(result), ...tables, showVerdicts(result)]
    .filter((part) => part !== "")
    .join("\n\n");
}

function showHead({ at, smoke, strata, machine, peers }: SuiteResult): string {
  const { cpu, cores, memoryBytes, kernel, fileSystem, node, fdatasync } = machine;
  const memory = `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  const lines = [
    `strata ${strata}, Node ${node}, ${at}${smoke ? ", a smoke run: its figures say little" : ""}`,
    `${cores} × ${cpu}, ${memory}, Linux ${kernel}, ${fileSystem}, fdatasync of 4 KiB ${fdatasync.medianUs} µs (p99 ${fdatasync.p99Us})`,
  ];
  const found = Object.entries(peers);
  const there = found.flatMap(([name, of]) => ("version" in of ? [`${name} ${of.version}`] : []));
  if (there.length > 0) lines.push(`peers: ${there.join(", ")}`);
  for (const [name, of] of found) {
    if ("missing" in of) lines.push(`${name} is MISSING: ${of.missing}`);
  }
  lines.push(
    "Medians (min–max). Ratio: how many times better strata is, pair by pair; below 1 it loses.",
  );
  return lines.join("\n");
}

function showGroup(group: Group, questions: readonly QuestionResult[]): string {
  const table = new Table({
    chars: RULES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true },
    head: HEAD,
  });
  table.push(...questions.flatMap(rowsOf));
  const lines = table.toString().split("\n");
  return [group.toUpperCase(), ...lines.map((line) => line.trimEnd())].join("\n");
}

function rowsOf(question: QuestionResult): string[][] {
  return question.sizes.flatMap((size, i) => sizeRows(question, size, i));
}

function sizeRows(question: QuestionResult, size: SizeResult, index: number): string[][] {
  const { name, unit, goal, sizes } = question;
  const judged = index === sizes.length - 1 ? goal : undefined;
  const verdict = verdictOf(question) ?? "";
  const [ours, ...peers] = size.sides;
  const mine = ours === undefined ? "" : figure(ours, unit);
  const isOfPeer = judged?.kind === "ratio" && peers.some((peer) => peer.name === judged.peer);
  const goalOf = (peer: SideResult | undefined): string[] => {
    const here = isOfPeer ? peer?.name === judged?.peer : peer === peers[0];
    return here && judged !== undefined ? [showGoal(judged, unit), verdict] : ["", ""];
  };
  const others = peers.length > 0 ? peers : [undefined];
  return others.map((peer, i) => [
    i === 0 && index === 0 ? name : "",
    i === 0 ? size.size.label : "",
    i === 0 ? mine : "",
    ...peerCells(size, peer, unit),
    ...goalOf(peer),
  ]);
}

function peerCells({ ratios }: SizeResult, peer: SideResult | undefined, unit: string): string[] {
  if (peer === undefined) return ["", "", ""];
  const ratio = ratios[peer.name];
  return [peer.name, figure(peer, unit), ratio === undefined ? "" : range(ratio, showRatio)];
}

function figure(side: SideResult, unit: string): string {
  if ("missing" in side) return `MISSING: ${side.missing}`;
  return `${range(side.spread, shown)} ${unit}`;
}

/** Of one round there is no range. */
function range(of: Spread, show: (value: number) => string): string {
  return of.min === of.max ? show(of.median) : shownSpread(of, show);
}

function showRatio(ratio: number): string {
  return ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2);
}

function showGoal(goal: Goal, unit: string): string {
  if (goal.kind === "ratio") return `≥ ${goal.atLeast} × ${goal.peer}`;
  return "atLeast" in goal ? `≥ ${shown(goal.atLeast)} ${unit}` : `≤ ${shown(goal.atMost)} ${unit}`;
}

/** How many goals were met, and the names of those that were not. */
function showVerdicts({ questions }: SuiteResult): string {
  const goals = questions.filter(({ goal }) => goal !== undefined);
  if (goals.length === 0) return "";
  const of = (verdict: "met" | "missed" | undefined): string[] =>
    goals.filter((question) => verdictOf(question) === verdict).map(({ name }) => name);
  const [met, missed, open] = [of("met"), of("missed"), of(undefined)];
  const lines = [`Goals: ${met.length} of ${goals.length} met`];
  if (missed.length > 0) lines.push(`missed: ${missed.join(", ")}`);
  if (open.length > 0) lines.push(`not judged, ${OURS} or the peer is missing: ${open.join(", ")}`);
  return lines.join("\n");
}
