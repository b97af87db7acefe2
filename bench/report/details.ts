/** One question in full: how it was measured, its curve, every size, what was told beside it, the digests. */
import type { QuestionResult, SizeResult } from "../suite/result.ts";
import { verdictOf } from "../suite/verdict.ts";
import { shownFigure } from "./figures.ts";
import { shownGoal } from "./goal.ts";
import { html, type Markup } from "./html.ts";
import { questionAnchor, shownVerdict, sideCells, wideTable } from "./tables.ts";

export function details(question: QuestionResult, curve: Markup | undefined): Markup {
  const { name, about, unit, better, durability, goal, sizes } = question;
  return html`<section aria-labelledby="${questionAnchor(name)}">
<h3 id="${questionAnchor(name)}">${name}</h3>
<p>${about}</p>
<p class="soft">${unit}, ${better} is better. ${durability === "" ? "Nothing is written." : `Durability, the same for all: ${durability}.`}${goal && html` Goal: ${shownGoal(goal, unit)}, ${shownVerdict(verdictOf(question))}.`}</p>
${curve}
${wideTable(
  name,
  html`<thead><tr><th scope="col">Size</th><th scope="col">Subject</th><th scope="col" class="n">Median, ${unit}</th><th scope="col" class="n">Min–max</th><th scope="col" class="n">Ratio</th><th scope="col" class="n">Min–max</th><th scope="col" class="n">Rounds</th><th scope="col">Beside, medians</th></tr></thead>
${sizes.map(sizeRows)}`,
)}
${digests(sizes)}
</section>`;
}

function sizeRows(size: SizeResult): Markup {
  const label = html`<th scope="rowgroup" rowspan="${size.sides.length}">${size.size.label}</th>`;
  return html`<tbody>${size.sides.map(
    (side, i) =>
      html`<tr>${i === 0 ? label : undefined}${sideCells(side, size)}${
        "missing" in side
          ? html`<td></td><td></td>`
          : html`<td class="n">${side.values.length}</td><td>${besides(side.beside)}</td>`
      }</tr>`,
  )}</tbody>`;
}

function besides(beside: Readonly<Record<string, number>>): string {
  return Object.entries(beside)
    .map(([name, value]) => `${name} ${shownFigure(value)}`)
    .join("; ");
}

function digests(sizes: readonly SizeResult[]): Markup | undefined {
  const told = sizes.filter(({ digest }) => digest !== undefined);
  if (told.length === 0) return undefined;
  return html`<p class="soft">Digest of the work, the same for all: ${told.map(
    ({ size, digest }, i) =>
      html`${i === 0 ? "" : "; "}${size.label} <span class="digest">${digest}</span>`,
  )}</p>`;
}
