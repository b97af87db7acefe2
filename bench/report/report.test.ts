import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { BENCH_RESULT, EVIL_RESULT } from "../../test/support/bench-result.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { QuestionResult, SuiteResult } from "../suite/result.ts";
import { writeReport } from "./report.ts";

/** What there is in a folder by name, after a report of it. */
async function reportOf(result: SuiteResult): Promise<Map<string, string>> {
  const folder = scratchFolder("report");
  const paths = await writeReport(result, folder);
  const names = readdirSync(folder);
  expect([...paths].sort()).toEqual(names.map((name) => join(folder, name)).sort());
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** Of the whole result, once for all that only look at it. */
let files: Map<string, string>;
beforeAll(async () => {
  files = await reportOf(BENCH_RESULT);
});

/** The questions of one name, with what is to be different. */
function changed(name: string, change: Partial<QuestionResult>): SuiteResult {
  const questions = BENCH_RESULT.questions.filter((question) => question.name === name);
  return { ...BENCH_RESULT, questions: questions.map((question) => ({ ...question, ...change })) };
}

test("a page, the ratios, and a curve for every question of several sizes", () => {
  expect([...files.keys()].sort()).toEqual([
    "page-file-random-puts-10-000-a-transaction.svg",
    "ratios.svg",
    "report.html",
    "server-start.svg",
    "store-puts-by-size-of-values.svg",
  ]);
  const page = files.get("report.html") ?? "";
  for (const { name, about, durability } of BENCH_RESULT.questions) {
    for (const text of [name, about, durability]) expect(page).toContain(text);
  }
  for (const fact of ["AMD EPYC 7B13", "6.1.0-18-amd64", "median 125 µs", "v20.20.2", "3b1f0c9ad"])
    expect(page).toContain(fact);
  expect(page).toContain("missing: no etcdutl on PATH");
  // Goals: five of each, and one whose peer is missing.
  expect(page).toContain("5 met, 5 missed, 1 not judged");
  expect(page.match(/<svg /g)).toHaveLength(4);
});

test("where strata loses, the page and the chart say so in words", () => {
  const chart = files.get("ratios.svg") ?? "";
  expect(/▼ loses 0\.24×/.exec(files.get("report.html") ?? "")).not.toBeNull();
  expect(/>0\.24× loses</.exec(chart)).not.toBeNull();
  expect(/strata loses \d+ of them/.exec(chart)?.[0]).toBe("strata loses 7 of them");
  expect(/12\.36× loses/.exec(chart)).toBeNull();
});

test("charts are right in the light and in the dark, and have a title and a description", () => {
  const charts = [...files].filter(([name]) => name.endsWith(".svg"));
  expect(charts).toHaveLength(4);
  for (const [, svg] of charts) {
    expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="\S+ \S+"[^>]*><title [^>]*>[^<]+</);
    expect(svg).toMatch(/<desc [^>]*>[^<]{20,}<\/desc>/);
    expect(svg).toContain("prefers-color-scheme:dark");
    // All colours are variables, which both schemes set.
    expect(svg.match(/(?:fill|stroke)="(?!var\(--|none|transparent)[^"]*"/g)).toBeNull();
  }
});

test("nothing is asked for from anywhere", () => {
  for (const [, text] of files) {
    const without = text.replaceAll('xmlns="http://www.w3.org/2000/svg"', "");
    expect(without).not.toMatch(
      /https?:|\bsrc=|@import|url\(|<script|<link(?! rel="icon" href="data:,")/,
    );
  }
});

test("what a result says is text and never markup", async () => {
  const evils = await reportOf(EVIL_RESULT);
  expect(evils.size).toBe(3);
  for (const [, text] of evils) {
    expect(text).not.toContain("<img");
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cs}/u);
    expect(text).toContain("&lt;img src=x onerror=");
  }
});

test("one size is no curve, and nobody to compare with is no chart", async () => {
  const alone = await reportOf(changed("memory/crc32c/300 bytes", {}));
  expect([...alone.keys()]).toEqual(["report.html"]);
  expect(alone.get("report.html")).toContain("No peer was found");
  const nothing = await reportOf({ ...BENCH_RESULT, questions: [] });
  expect([...nothing.keys()]).toEqual(["report.html"]);
});

test("names that make the same file make two", async () => {
  const { questions } = changed("server/start", {});
  const twice = ["server start", "server/start", "ratios"].flatMap((name) =>
    questions.map((question) => ({ ...question, name })),
  );
  const written = await reportOf({ ...BENCH_RESULT, questions: twice });
  expect([...written.keys()].sort()).toEqual(
    ["ratios-2.svg", "ratios.svg", "report.html", "server-start-2.svg", "server-start.svg"].sort(),
  );
});
