/** All of a result as a page of the docs: what was aimed at, what was reached, and what limits where it was missed. */
import { OURS } from "../suite/question.ts";
import type {
  QuestionResult,
  SideResult,
  SizeResult,
  SuiteResult,
  Verdict,
} from "../suite/result.ts";
import { verdictOf } from "../suite/verdict.ts";
import { shownFigure, shownRange, shownRatio } from "./figures.ts";
import { furtherRows } from "./further-goals.ts";
import { largest, shownGoal, sideOf } from "./goal.ts";

/** What stands in the way, as profiles tell it. */
export interface Limit {
  /** Of the questions that it limits. */
  readonly names: RegExp;
  readonly why: string;
}

/** @param name  of a question */
export function limitOf(name: string, limits: readonly Limit[]): Limit | undefined {
  return limits.find(({ names }) => names.test(name));
}

const HEAD = `| question | goal | | strata | peers, and how many times better strata is |
| --- | --- | --- | --- | --- |`;

export function goalPage(result: SuiteResult, limits: readonly Limit[]): string {
  const aimed = result.questions.filter(({ goal }) => goal !== undefined);
  const others = result.questions.filter(({ goal }) => goal === undefined);
  const missed = aimed.filter((question) => verdictOf(question) === "missed");
  const met = aimed.filter((question) => verdictOf(question) === "met");
  return `## All goals

${met.length} of ${aimed.length} are met${unjudged(aimed.length - met.length - missed.length)}.

${table(aimed)}
And of what was measured beside:

${further(result.questions)}
## What stands in the way of those that are missed

${reasons(result, limits)}
## Questions without a goal

${table(others)}
## What was measured beside

Medians of the same rounds.

${besides(result.questions)}`;
}

function unjudged(count: number): string {
  return count === 0 ? "" : `, ${count} could not be judged`;
}

function further(questions: readonly QuestionResult[]): string {
  const rows = furtherRows(questions).map(
    ({ name, what, goal, ours, theirs, verdict }) =>
      `| ${name}, ${what} | ${goal} | ${shownVerdict(verdict)} | ${ours} | ${theirs} |`,
  );
  return `| question | goal | | strata | peer |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

function shownVerdict(verdict: Verdict): string {
  return verdict === "missed" ? "**missed**" : (verdict ?? "not judged");
}

function table(questions: readonly QuestionResult[]): string {
  return `${[HEAD, ...questions.map(row)].join("\n")}\n`;
}

function row(question: QuestionResult): string {
  const { name, goal, unit } = question;
  const size = largest(question);
  const ours = size && sideOf(size, OURS);
  const verdict = verdictOf(question);
  const cells = [
    `${name}, ${size?.size.label ?? "not measured"}`,
    goal === undefined ? "" : shownGoal(goal, unit),
    goal === undefined ? "" : shownVerdict(verdict),
    `${shownSide(ours)} ${unit}`,
    size === undefined ? "" : peersOf(size).join("; "),
  ];
  return `| ${cells.join(" | ")} |`;
}

function peersOf({ sides, ratios }: SizeResult): string[] {
  return sides
    .filter(({ name }) => name !== OURS)
    .map((side) => {
      const ratio = ratios[side.name];
      const times =
        ratio === undefined
          ? ""
          : `, ${shownRatio(ratio.median)}${bracketed(shownRange(ratio, shownRatio))}`;
      return `${side.name} ${shownSide(side)}${times}`;
    });
}

function shownSide(side: SideResult | undefined): string {
  if (side === undefined || !("spread" in side)) return "missing";
  return `${shownFigure(side.spread.median)}${bracketed(shownRange(side.spread, shownFigure))}`;
}

function bracketed(range: string): string {
  return range === "" ? "" : ` (${range})`;
}

function besides(questions: readonly QuestionResult[]): string {
  const rows = questions.flatMap((question) => {
    const sides = (largest(question)?.sides ?? []).flatMap((side) =>
      "beside" in side && Object.keys(side.beside).length > 0 ? [side] : [],
    );
    const names = [...new Set(sides.flatMap(({ beside }) => Object.keys(beside)))];
    return names.map((name, i) => {
      const figures = sides.flatMap(({ name: side, beside }) => {
        const value = beside[name];
        return value === undefined ? [] : [`${side} ${shownFigure(value)}`];
      });
      return `| ${i === 0 ? question.name : ""} | ${name} | ${figures.join("; ")} |`;
    });
  });
  return `| question | | |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** Every goal that was missed: the question, and what of it. */
export function missedGoals({ questions }: SuiteResult): { name: string; shown: string }[] {
  const missed = questions.filter((question) => verdictOf(question) === "missed");
  const further = furtherRows(questions).filter(({ verdict }) => verdict === "missed");
  return [
    ...missed.map(({ name }) => ({ name, shown: name })),
    ...further.map(({ name, what }) => ({ name, shown: `${name} (${what})` })),
  ];
}

function reasons(result: SuiteResult, limits: readonly Limit[]): string {
  const shown = new Map<string, string[]>();
  for (const { name, shown: one } of missedGoals(result)) {
    const why = limitOf(name, limits)?.why ?? "";
    shown.set(why, [...(shown.get(why) ?? []), one]);
  }
  return [...shown].map(([why, names]) => `- **${names.join(", ")}**: ${why}\n`).join("");
}
