/** Goals that are not of a question's own figure, but of what was measured beside it, or only held against a peer. */
import { OURS } from "../suite/question.ts";
import type { QuestionResult, SideResult, Verdict } from "../suite/result.ts";
import { shownFigure } from "./figures.ts";
import { largest, sideOf } from "./goal.ts";

interface FurtherGoal {
  readonly names: RegExp;
  /** Undefined: the question's own figure. */
  readonly beside?: string;
  /** In the figure's unit, or the peer whose figure is not to be exceeded. */
  readonly atMost: number | string;
}

const FURTHER_GOALS: readonly FurtherGoal[] = [
  { names: /^server\/(puts|gets)\/\d+x\d+$/, beside: "p99 ms", atMost: "etcd" },
  { names: /^server\/puts\/10x10$/, beside: "CPU µs a request", atMost: 30 },
  { names: /^server\/memory\//, atMost: "etcd" },
  { names: /^maintenance\/snapshot\/restore$/, beside: "peak MiB", atMost: 190 },
];

export interface FurtherRow {
  readonly name: string;
  readonly what: string;
  readonly goal: string;
  readonly ours: string;
  readonly theirs: string;
  readonly verdict: Verdict;
}

export function furtherRows(questions: readonly QuestionResult[]): FurtherRow[] {
  return FURTHER_GOALS.flatMap((goal) =>
    questions.filter(({ name }) => goal.names.test(name)).map((question) => rowOf(question, goal)),
  );
}

function rowOf(question: QuestionResult, { beside, atMost }: FurtherGoal): FurtherRow {
  const size = largest(question);
  const figureOf = (name: string): number | undefined => {
    const side = size && sideOf(size, name);
    return side && figure(side, beside);
  };
  const ours = figureOf(OURS);
  const theirs = typeof atMost === "string" ? figureOf(atMost) : undefined;
  const bound = typeof atMost === "string" ? theirs : atMost;
  const judged = ours !== undefined && bound !== undefined;
  const shown = (value: number | undefined): string =>
    value === undefined ? "missing" : shownFigure(value);
  return {
    name: question.name,
    what: beside ?? question.unit,
    goal: `at most ${typeof atMost === "string" ? `${atMost}'s` : shownFigure(atMost)}`,
    ours: shown(ours),
    theirs: typeof atMost === "string" ? `${atMost} ${shown(theirs)}` : "",
    verdict: judged ? (ours <= bound ? "met" : "missed") : undefined,
  };
}

function figure(side: SideResult, beside: string | undefined): number | undefined {
  if (!("spread" in side)) return undefined;
  return beside === undefined ? side.spread.median : side.beside[beside];
}
