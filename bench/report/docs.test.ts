/** README and docs/goals.md show the result that is kept in docs/bench, and nothing else: STRATA_WRITE_DOCS=1 writes them anew. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectFolder } from "../../test/support/judge.ts";
import { readResult } from "../suite/read-result.ts";
import { drawChart } from "./chart.ts";
import { FRONT_CHART, FRONT_ROWS, frontOf, frontPage } from "./front-page.ts";
import { goalPage, limitOf, missedGoals } from "./goal-page.ts";
import { LIMITS } from "./limits.ts";
import { ratiosChart } from "./ratios-chart.ts";

const FOLDER = join(projectFolder(), "docs/bench");
const result = readResult(join(FOLDER, "result.json"));

const BEGIN = "<!-- bench:begin: written by bench/report/docs.test.ts -->\n";
const END = "<!-- bench:end -->\n";

/** What stands between the marks of a page; with STRATA_WRITE_DOCS=1 it is put there before. */
function between(page: string, wanted: string): string {
  const path = join(projectFolder(), page);
  const text = readFileSync(path, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [inside, after] = rest?.split(END) ?? [];
  if (before === undefined || inside === undefined || after === undefined) {
    throw new Error(`${page} has no ${BEGIN.trim()} … ${END.trim()}`);
  }
  if (process.env.STRATA_WRITE_DOCS !== "1") return inside;
  writeFileSync(path, `${before}${BEGIN}${wanted}${END}${after}`);
  return wanted;
}

test("the README's figures are those of one run", () => {
  const wanted = `\n${frontPage(result, `docs/bench/${FRONT_CHART}`)}\n`;
  expect(between("README.md", wanted)).toBe(wanted);
});

test("what the front page shows was measured", () => {
  const pairs = result.questions.flatMap(({ name, sizes }) =>
    Object.keys(sizes.at(-1)?.ratios ?? {}).map((peer) => `${name}, ${peer}`),
  );
  expect(pairs).toEqual(
    expect.arrayContaining(FRONT_ROWS.map((row) => `${row.name}, ${row.peer}`)),
  );
  expect(result.smoke).toBe(false);
});

test("the charts are drawn from it", async () => {
  const charts = [
    { file: FRONT_CHART, of: frontOf(result) },
    { file: "ratios.svg", of: result },
  ];
  for (const { file, of } of charts) {
    const spec = ratiosChart(of);
    if (spec === undefined) throw new Error("nothing was compared");
    const { alone } = await drawChart({ ...spec, file });
    const path = join(FOLDER, file);
    if (process.env.STRATA_WRITE_DOCS === "1") {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(path, alone);
    }
    expect(readFileSync(path, "utf8")).toBe(alone);
  }
});

test("every goal is told, and why each one was missed that was", () => {
  const unexplained = missedGoals(result).filter(({ name }) => limitOf(name, LIMITS) === undefined);
  expect(unexplained).toEqual([]);
  const wanted = `\n${goalPage(result, LIMITS)}\n`;
  expect(between("docs/goals.md", wanted)).toBe(wanted);
});
