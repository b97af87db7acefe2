/** Draws a result: one page that needs nothing else, and its charts as files of their own. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { QuestionResult, SuiteResult } from "../suite/result.ts";
import { type Chart, drawChart } from "./chart.ts";
import { curveChart } from "./curve-chart.ts";
import { page } from "./page.ts";
import { RATIOS_FILE, ratiosChart } from "./ratios-chart.ts";

export const PAGE_FILE = "report.html";

/** What is drawn of a result. */
export interface Drawn {
  /** Undefined where nothing was compared with anybody. */
  readonly ratios: Chart | undefined;
  /** By the question's name; of those with several sizes. */
  readonly curves: ReadonlyMap<string, Chart>;
}

export async function draw(result: SuiteResult): Promise<Drawn> {
  const ratios = ratiosChart(result);
  const files = curveFiles(result.questions);
  const curves = new Map<string, Chart>();
  for (const question of result.questions) {
    const spec = curveChart(question, files.get(question.name) ?? "");
    if (spec !== undefined) curves.set(question.name, await drawChart(spec));
  }
  return { ratios: ratios && (await drawChart(ratios)), curves };
}

/**
 * Writes `report.html`, `ratios.svg` and a curve for each question of several sizes. Files of the same names are
 * replaced, others stay.
 * @param folder  made if it is not there
 * @returns the paths, the page first
 */
export async function writeReport(result: SuiteResult, folder: string): Promise<readonly string[]> {
  const drawn = await draw(result);
  const charts = [...(drawn.ratios ? [drawn.ratios] : []), ...drawn.curves.values()];
  const files = [
    { file: PAGE_FILE, text: page(result, drawn) },
    ...charts.map(({ file, alone }) => ({ file, text: alone })),
  ];
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const { file, text } of files) {
    const path = join(folder, file);
    await writeFile(path, text);
    paths.push(path);
  }
  return paths;
}

/** "server/puts/10x10" is `server-puts-10x10.svg`; two names that come out the same are told apart by a number. */
function curveFiles(questions: readonly QuestionResult[]): ReadonlyMap<string, string> {
  const taken = new Set([RATIOS_FILE]);
  const files = new Map<string, string>();
  for (const { name } of questions) {
    const base =
      name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "") || "question";
    let file = `${base}.svg`;
    for (let i = 2; taken.has(file); i++) file = `${base}-${i}.svg`;
    taken.add(file);
    files.set(name, file);
  }
  return files;
}
