/** Whether a question's goal is reached, in words. */
import { type Goal, OURS } from "../suite/question.ts";
import type { QuestionResult, SideResult, SizeResult, Verdict } from "../suite/result.ts";
import { shownFigure } from "./figures.ts";

export function shownGoal(goal: Goal, unit: string): string {
  if (goal.kind === "ratio") return `${goal.atLeast}× ${goal.peer}`;
  return "atLeast" in goal
    ? `at least ${shownFigure(goal.atLeast)} ${unit}`
    : `at most ${shownFigure(goal.atMost)} ${unit}`;
}

/** The size that a goal is for and that tables show. */
export function largest({ sizes }: QuestionResult): SizeResult | undefined {
  return sizes.at(-1);
}

export function sideOf(size: SizeResult, name: string): SideResult | undefined {
  return size.sides.find((side) => side.name === name);
}

export function verdictOf(question: QuestionResult): Verdict {
  const { goal } = question;
  const size = largest(question);
  if (goal === undefined || size === undefined) return undefined;
  if (goal.kind === "ratio") {
    const ratio = size.ratios[goal.peer];
    return ratio === undefined ? undefined : judged(ratio.median >= goal.atLeast);
  }
  const ours = sideOf(size, OURS);
  if (ours === undefined || "missing" in ours) return undefined;
  const { median } = ours.spread;
  return judged("atLeast" in goal ? median >= goal.atLeast : median <= goal.atMost);
}

function judged(met: boolean): Verdict {
  return met ? "met" : "missed";
}
