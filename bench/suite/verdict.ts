/** Whether a goal was reached: judged at the last size of a question, by medians. */
import { OURS } from "./question.ts";
import type { QuestionResult, Verdict } from "./result.ts";

export function verdictOf({ goal, sizes }: QuestionResult): Verdict {
  const last = sizes.at(-1);
  if (goal === undefined || last === undefined) return undefined;
  if (goal.kind === "ratio") {
    const ratio = last.ratios[goal.peer];
    return ratio === undefined ? undefined : said(ratio.median >= goal.atLeast);
  }
  const ours = last.sides.find(({ name }) => name === OURS);
  if (ours === undefined || "missing" in ours) return undefined;
  const { median } = ours.spread;
  return said("atLeast" in goal ? median >= goal.atLeast : median <= goal.atMost);
}

function said(reached: boolean): Verdict {
  return reached ? "met" : "missed";
}
