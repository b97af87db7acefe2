/** Tables of the docs that name tests: the files are there, and every named bug is in its table. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage } from "./support/console-blocks.ts";

const ROOT = join(import.meta.dirname, "..");

const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

interface Bug {
  readonly row: string;
  readonly file: string;
  /** Of the test's title. */
  readonly title: string | undefined;
}

const bugs: readonly Bug[] = readPage("docs/testing.md")
  .split("## Bugs")
  .slice(1)
  .flatMap((part) => [
    ...part.matchAll(/^\|.*`npx vitest run (\S+\.test\.ts)(?: -t '([^']+)')?` \|$/gm),
  ])
  .map(([row, file = "", title]) => ({ row, file, title }));

/** Numbers of etcd's issues, as `#14370`. */
const issuesIn = (text: string): string[] => text.match(/#\d{4,5}\b/g) ?? [];

test("every file of test/regressions is in the table of bugs, with its issue's number", () => {
  const files = readdirSync(join(ROOT, "test/regressions")).map(
    (name) => `test/regressions/${name}`,
  );
  const rows = bugs.filter(({ file }) => file.startsWith("test/regressions/"));
  expect(rows.map(({ file }) => file).sort()).toEqual(files.sort());
  for (const { row, file } of rows) {
    const [comment = ""] = /\/\*\*[\s\S]*?\*\//.exec(textOf(file)) ?? [];
    for (const issue of issuesIn(comment)) expect(row).toContain(issue);
  }
});

test("every test that is named after an issue of etcd's is in it, and what it names is there", () => {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("etcd-bugs.test.ts"))
    .map((name) => join("src", name));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const rows = bugs.filter((bug) => bug.file === file).map(({ row }) => row);
    const titles = textOf(file).match(/"#\d{4,5}[^"]*"/g) ?? [];
    expect(titles.length).toBeGreaterThan(5);
    for (const issue of titles.flatMap(issuesIn)) expect(rows.join("\n")).toContain(issue);
  }
  for (const { file, title = "" } of bugs) {
    expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
    expect(textOf(file)).toContain(title);
  }
});

test("every row of the README's compatibility is held by a test", () => {
  const [, part = ""] = readPage("README.md").split(/^## What works with what$/m);
  const [section = ""] = part.split(/^## /m);
  const rows = (section.match(/^\|.*\|$/gm) ?? []).filter(
    (row) => !/^\| ---|\| test \|$/.test(row),
  );
  expect(rows.length).toBeGreaterThan(12);
  for (const row of rows) {
    const files = row.match(/(?:src|test)\/[\w./-]+\.test\.ts/g) ?? [];
    expect([row, files.length > 0]).toEqual([row, true]);
    for (const file of files) expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
  }
});
