/** A comparison for people: regressions first, and one line for what has not changed. */
import { shownSpread } from "../store/alternate.ts";
import { type Change, type Comparison, hasRegression } from "./compare.ts";
import type { SuiteResult } from "./result.ts";

export function showComparison(
  comparison: Comparison,
  before: SuiteResult,
  after: SuiteResult,
  margin: number,
): string {
  const { otherMachine, changes, lost, onlyBefore, onlyAfter } = comparison;
  const percent = `${Number((margin * 100).toFixed(2))} %`;
  const lines = [`Compared with strata ${before.strata} of ${before.at}, margin ${percent}:`];
  if (otherMachine.length > 0) {
    lines.push(
      `Another machine (${otherMachine.join("; ")}): only the ratios to peers are compared.`,
    );
  }
  for (const [what, then, now] of [
    ["Node", before.machine.node, after.machine.node],
    ["kernel", before.machine.kernel, after.machine.kernel],
  ] as const) {
    if (then !== now) lines.push(`Another ${what}: ${then} then, ${now} now.`);
  }
  if (changes.some(({ before: { min, max } }) => min === max)) {
    lines.push("Where there was one round only, its range is a point: repeat what looks worse.");
  }
  for (const [kind, title] of [
    ["regression", "REGRESSION"],
    ["worse", "worse, but not beyond doubt"],
    ["better", "better"],
  ] as const) {
    const some = changes.filter((change) => change.kind === kind);
    lines.push(...some.map((change) => `${title}: ${showChange(change)}`));
  }
  lines.push(...lost.map((what) => `REGRESSION: no answer any more: ${what}`));
  const same = changes.filter(({ kind }) => kind === "same").length;
  lines.push(`${same} of ${changes.length} about the same`);
  if (onlyBefore.length > 0) lines.push(`not asked now: ${onlyBefore.length}`);
  if (onlyAfter.length > 0) lines.push(`not asked then: ${onlyAfter.length}`);
  lines.push(hasRegression(comparison) ? "There is a regression." : "No regression.");
  return lines.join("\n");
}

function showChange({ question, size, unit, before, after, worse, ratios }: Change): string {
  const times = worse >= 1 ? `${worse.toFixed(2)} × worse` : `${(1 / worse).toFixed(2)} × better`;
  const beside = Object.entries(ratios).map(([peer, ratio]) => {
    return `, to ${peer} ${ratio.before.median.toFixed(2)} → ${ratio.after.median.toFixed(2)}`;
  });
  return `${question}, ${size}: ${shownSpread(before)} → ${shownSpread(after)} ${unit}, ${times}${beside.join("")}`;
}
