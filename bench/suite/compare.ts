/**
 * Two results: what has become worse, what better, and what is a regression.
 *
 * A regression is a question whose median is worse by more than the margin, and whose worst round before is better
 * than its best round now, and, where peers were measured both times, whose ratio to most of them is worse by more
 * than the margin too: a busy machine slows down both sides, and a slower program only one. Between two machines only
 * ratios say anything: then those to most peers must be worse by more than the margin, with ranges that do not overlap.
 */
import type { Machine } from "../support/machine.ts";
import type { Spread } from "../support/report.ts";
import { OURS } from "./question.ts";
import type { QuestionResult, SideResult, SizeResult, SuiteResult } from "./result.ts";

export interface Change {
  readonly question: string;
  readonly size: string;
  readonly unit: string;
  readonly kind: "regression" | "worse" | "better" | "same";
  /** Of strata. */
  readonly before: Spread;
  readonly after: Spread;
  /** Times worse by the medians; below 1 it is better. */
  readonly worse: number;
  /** By peer, those that were measured both times. */
  readonly ratios: Readonly<Record<string, RatioChange>>;
}

export interface RatioChange {
  readonly before: Spread;
  readonly after: Spread;
  /** Times worse by the medians. */
  readonly worse: number;
}

export interface Comparison {
  /** What is another machine's; empty if it is the same. */
  readonly otherMachine: readonly string[];
  readonly changes: readonly Change[];
  /** Measured before, and asked but not answered now: question, size and reason. */
  readonly lost: readonly string[];
  /** Names with sizes that only one of the two has, or that ask for another unit now. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

interface Point {
  readonly question: QuestionResult;
  readonly size: SizeResult;
}

/** @param margin  0.25: worse by more than a quarter */
export function compareResults(
  before: SuiteResult,
  after: SuiteResult,
  margin: number,
): Comparison {
  const otherMachine = differences(before.machine, after.machine);
  const [old, young] = [pointsOf(before), pointsOf(after)];
  const changes: Change[] = [];
  const lost: string[] = [];
  for (const [name, now] of young) {
    const then = old.get(name);
    const [mine, earlier] = [oursOf(now), then && oursOf(then)];
    if (then === undefined || earlier === undefined || "missing" in earlier) continue;
    if (mine === undefined || "missing" in mine) {
      lost.push(`${name}: ${mine?.missing ?? "no answer"}`);
    } else {
      const spreads = { before: earlier.spread, after: mine.spread };
      changes.push(
        changeOf(then, now, spreads, { margin, sameMachine: otherMachine.length === 0 }),
      );
    }
  }
  return {
    otherMachine,
    changes,
    lost,
    onlyBefore: [...old.keys()].filter((name) => !young.has(name)),
    onlyAfter: [...young.keys()].filter((name) => !old.has(name)),
  };
}

export function hasRegression({ changes, lost }: Comparison): boolean {
  return lost.length > 0 || changes.some(({ kind }) => kind === "regression");
}

/** The kernel and Node may be others: what they cost is told, and counts. */
function differences(before: Machine, after: Machine): string[] {
  const gibibytes = ({ memoryBytes }: Machine): string =>
    `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  const facts: readonly (readonly [string, string])[] = [
    [before.cpu, after.cpu],
    [`${before.cores} cores`, `${after.cores} cores`],
    [gibibytes(before), gibibytes(after)],
    [before.fileSystem, after.fileSystem],
  ];
  return facts
    .filter(([then, now]) => then !== now)
    .map(([then, now]) => `${then} then, ${now} now`);
}

function pointsOf({ questions }: SuiteResult): Map<string, Point> {
  return new Map(
    questions.flatMap((question) =>
      question.sizes.map((size): [string, Point] => [
        `${question.name}, ${size.size.label} [${question.unit}]`,
        { question, size },
      ]),
    ),
  );
}

function oursOf({ size }: Point): SideResult | undefined {
  return size.sides.find(({ name }) => name === OURS);
}

function changeOf(
  then: Point,
  { question, size }: Point,
  { before, after }: { readonly before: Spread; readonly after: Spread },
  { margin, sameMachine }: { readonly margin: number; readonly sameMachine: boolean },
): Change {
  const limit = 1 + margin;
  const ratios: Record<string, RatioChange> = {};
  for (const [peer, now] of Object.entries(size.ratios)) {
    const earlier = then.size.ratios[peer];
    if (earlier === undefined) continue;
    ratios[peer] = { before: earlier, after: now, worse: earlier.median / now.median };
  }
  const all = Object.values(ratios);
  const ofMost = (holds: (ratio: RatioChange) => boolean): boolean =>
    all.filter(holds).length * 2 > all.length;
  const worse =
    question.better === "more" ? before.median / after.median : after.median / before.median;
  const common = { question: question.name, size: size.size.label, unit: question.unit };
  const kindOf = (sign: 1 | -1): boolean => {
    const beyond = (times: number): boolean => times ** sign > limit;
    if (!sameMachine) return ofMost((ratio) => beyond(ratio.worse) && areApart(ratio));
    const figures = beyond(worse) && areApart({ before, after });
    return figures && (all.length === 0 || ofMost((ratio) => beyond(ratio.worse)));
  };
  const isWorse = sameMachine ? worse > limit : ofMost((ratio) => ratio.worse > limit);
  const kind = kindOf(1) ? "regression" : kindOf(-1) ? "better" : isWorse ? "worse" : "same";
  return { ...common, kind, before, after, worse, ratios };
}

function areApart({ before, after }: { readonly before: Spread; readonly after: Spread }): boolean {
  return before.max < after.min || after.max < before.min;
}
