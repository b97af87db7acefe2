/** Goals in words, and what of a result they are held against. */
import type { Goal } from "../suite/question.ts";
import type { QuestionResult, SideResult, SizeResult } from "../suite/result.ts";
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
