/** The tables of the page: figures of the largest size, a row for each subject. */
import { OURS } from "../suite/question.ts";
import type { QuestionResult, SideResult, SizeResult, Verdict } from "../suite/result.ts";
import { verdictOf } from "../suite/verdict.ts";
import { shownFigure, shownRange, shownRatio } from "./figures.ts";
import { largest, shownGoal, sideOf } from "./goal.ts";
import { html, type Markup } from "./html.ts";

export function questionAnchor(name: string): string {
  return `q-${name.replace(/[^a-z0-9]+/gi, "-")}`;
}

/** A table that scrolls by itself where it does not fit, and never moves the page. */
export function wideTable(label: string, inside: Markup): Markup {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${label}"><table>${inside}</table></div>`;
}

export function shownVerdict(verdict: Verdict): Markup {
  if (verdict === undefined) return html`<span class="soft">not judged</span>`;
  return html`<span class="${verdict}">${verdict === "met" ? "✓" : "✗"} ${verdict}</span>`;
}

export function goalsTable(questions: readonly QuestionResult[]): Markup | undefined {
  if (questions.length === 0) return undefined;
  return wideTable(
    "Goals",
    html`<caption>Every goal, and what was reached at the largest size</caption>
<thead><tr><th scope="col">Question</th><th scope="col">Goal</th><th scope="col" class="n">Reached</th><th scope="col" class="n">Min–max</th><th scope="col">Verdict</th></tr></thead>
<tbody>${questions.map(goalRow)}</tbody>`,
  );
}

function goalRow(question: QuestionResult): Markup {
  const { name, goal, unit } = question;
  if (goal === undefined) return html``;
  const size = largest(question);
  const ours = size && sideOf(size, OURS);
  const ratio = goal.kind === "ratio" ? size?.ratios[goal.peer] : undefined;
  const spread = goal.kind === "ratio" ? ratio : ours && "spread" in ours ? ours.spread : undefined;
  const show = goal.kind === "ratio" ? shownRatio : shownFigure;
  return html`<tr><th scope="row" class="name"><a href="#${questionAnchor(name)}">${name}</a></th>
<td>${shownGoal(goal, unit)}</td>
<td class="n">${spread === undefined ? "missing" : `${show(spread.median)}${goal.kind === "ratio" ? "" : ` ${unit}`}`}</td>
<td class="n soft">${spread && shownRange(spread, show)}</td>
<td>${shownVerdict(verdictOf(question))}</td></tr>`;
}

/** The same in every group, in percent. */
const WIDTHS: readonly number[] = [25, 13, 10, 15, 10, 9, 10, 8];

export function groupTable(group: string, questions: readonly QuestionResult[]): Markup {
  return wideTable(
    group,
    html`<caption>At the largest size of each question</caption>
<colgroup>${WIDTHS.map((percent) => html`<col style="width:${percent}%">`)}</colgroup>
<thead><tr><th scope="col">Question</th><th scope="col">Subject</th><th scope="col" class="n">Median</th><th scope="col" class="n">Min–max</th><th scope="col" class="n">Ratio</th><th scope="col" class="n">Min–max</th><th scope="col">Goal</th><th scope="col">Verdict</th></tr></thead>
${questions.map(questionRows)}`,
  );
}

function questionRows(question: QuestionResult): Markup {
  const size = largest(question);
  if (size === undefined) return html``;
  const { name, unit, better, goal } = question;
  const [head, ...rest] = size.sides;
  const label = html`<th scope="rowgroup" rowspan="${size.sides.length}" class="name"><a href="#${questionAnchor(name)}">${name}</a><br><span class="soft">${unit}, ${better} is better; ${size.size.label}</span></th>`;
  const goalOf = (side: SideResult): Markup => {
    const here = goal?.kind === "ratio" ? goal.peer : OURS;
    return goal !== undefined && side.name === here
      ? html`<td>${shownGoal(goal, unit)}</td><td>${shownVerdict(verdictOf(question))}</td>`
      : html`<td></td><td></td>`;
  };
  return html`<tbody>${[
    ...(head === undefined ? [] : [html`<tr>${label}${sideCells(head, size)}${goalOf(head)}</tr>`]),
    ...rest.map((side) => html`<tr>${sideCells(side, size)}${goalOf(side)}</tr>`),
  ]}</tbody>`;
}

/** Name, median, range, ratio, range of the ratio. */
export function sideCells(side: SideResult, size: SizeResult): Markup {
  const name = html`<td${side.name === OURS ? html` class="ours"` : undefined}>${side.name}</td>`;
  if ("missing" in side)
    return html`${name}<td colspan="4" class="missed">missing: ${side.missing}</td>`;
  const figures = html`<td class="n">${shownFigure(side.spread.median)}</td><td class="n soft">${shownRange(side.spread, shownFigure)}</td>`;
  const ratio = size.ratios[side.name];
  if (ratio === undefined) return html`${name}${figures}<td></td><td></td>`;
  const loses = ratio.median < 1;
  return html`${name}${figures}<td class="n${loses ? " lose" : ""}">${loses ? "▼ loses " : ""}${shownRatio(ratio.median)}</td><td class="n soft">${shownRange(ratio, shownRatio)}</td>`;
}
