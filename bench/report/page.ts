/** The whole report as one page: no script, no font, no picture from anywhere else. */
import { OURS } from "../suite/question.ts";
import type { PeerFound, QuestionResult, SuiteResult } from "../suite/result.ts";
import { verdictOf } from "../suite/verdict.ts";
import type { Chart } from "./chart.ts";
import { details } from "./details.ts";
import { html, Markup } from "./html.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { goalsTable, groupTable } from "./tables.ts";

export interface PageCharts {
  readonly ratios: Chart | undefined;
  readonly curves: ReadonlyMap<string, Chart>;
}

/** Nothing may be loaded, not even by what a result might smuggle in: the browser is told so, too. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export function page(result: SuiteResult, { ratios, curves }: PageCharts): string {
  const groups = [...new Set(result.questions.map(({ group }) => group))];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>strata ${result.strata} measured, ${result.at.slice(0, 10)}</title>
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
<main>
<h1>strata ${result.strata} beside its peers</h1>
<p class="soft">Measured <time datetime="${result.at}">${result.at}</time>. Medians of alternating rounds; a ratio is how many times better strata is, pair by pair; below 1 it loses.</p>
${result.smoke ? html`<p class="missed">A smoke run: everything is small, so that it takes seconds. These are no figures to quote.</p>` : undefined}
<nav aria-label="Parts of this page"><ul>
<li><a href="#machine">Machine</a></li><li><a href="#ratios">Ratios</a></li><li><a href="#goals">Goals</a></li>
${groups.map((group) => html`<li><a href="#${anchor(group)}">${group}</a></li>`)}
<li><a href="#details">Question by question</a></li></ul></nav>
${machine(result)}
<h2 id="ratios">Ratios</h2>
${figure(ratios) ?? html`<p>No peer was found to compare with.</p>`}
${goals(result.questions)}
${groups.map(
  (
    group,
  ) => html`<h2 id="${anchor(group)}">${group.replace(/^./, (first) => first.toUpperCase())}</h2>
${groupTable(
  group,
  result.questions.filter((question) => question.group === group),
)}`,
)}
<h2 id="details">Question by question</h2>
${result.questions.map((question) => details(question, figure(curves.get(question.name))))}
</main>
</body>
</html>
`.text;
}

function anchor(group: string): string {
  return `group-${group.replace(/[^a-z0-9]+/gi, "-")}`;
}

function figure(chart: Chart | undefined): Markup | undefined {
  // Can be scrolled where it does not fit: then it must be reached by the keyboard.
  return (
    chart &&
    html`<figure tabindex="0" aria-label="${chart.title}">${new Markup(chart.inline)}</figure>`
  );
}

function goals(questions: readonly QuestionResult[]): Markup {
  const aimed = questions.filter(({ goal }) => goal !== undefined);
  const count = (verdict: "met" | "missed" | undefined): number =>
    aimed.filter((question) => verdictOf(question) === verdict).length;
  const unjudged = count(undefined);
  return html`<h2 id="goals">Goals</h2>
${aimed.length === 0 ? html`<p>Nothing was measured at the size that a goal is for.</p>` : html`<p>${count("met")} met, ${count("missed")} missed${unjudged === 0 ? "" : `, ${unjudged} not judged, for the peer is missing`}.</p>`}
${goalsTable(aimed)}`;
}

function machine({ machine: of, peers, strata }: SuiteResult): Markup {
  const { medianUs, p99Us } = of.fdatasync;
  const facts: readonly (readonly [string, string])[] = [
    ["Processor", `${of.cpu}, ${of.cores} ${of.cores === 1 ? "core" : "cores"}`],
    ["Memory", `${(of.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ["Kernel", of.kernel],
    [
      "Disk",
      `${of.fileSystem}; write of 4 KiB and fdatasync: median ${medianUs} µs, p99 ${p99Us} µs`,
    ],
    ["Node", of.node],
  ];
  return html`<h2 id="machine">Machine and peers</h2>
<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<div class="wide" tabindex="0" role="region" aria-label="Peers"><table class="peers">
<caption>Who was measured</caption>
<thead><tr><th scope="col">Subject</th><th scope="col">Version</th></tr></thead>
<tbody>
<tr class="ours"><th scope="row">${OURS}</th><td>${strata}</td></tr>
${Object.entries(peers).map(
  ([name, found]) => html`<tr><th scope="row">${name}</th>${version(found)}</tr>`,
)}
</tbody></table></div>`;
}

function version(found: PeerFound): Markup {
  return "version" in found
    ? html`<td>${found.version}</td>`
    : html`<td class="missed">missing: ${found.missing}</td>`;
}
