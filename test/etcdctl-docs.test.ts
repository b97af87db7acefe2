/** The table of differences in the docs is the one that the transcripts are held to: STRATA_WRITE_DOCS=1 writes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DIFFERENCES } from "./support/etcdctl-differences.ts";

const PAGE = join(import.meta.dirname, "../docs/etcdctl.md");
const MARK = "<!-- differences: written by test/etcdctl-docs.test.ts -->\n";

function table(): string {
  const rows = DIFFERENCES.map(
    ({ what, real, ours, why }) => `| ${what} | ${real} | ${ours} | ${why} |\n`,
  );
  return `| what | etcdctl 3.4.23 | ours | why |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

test("the docs have every difference", () => {
  const text = readFileSync(PAGE, "utf8");
  const [before = "", after] = text.split(MARK);
  if (process.env.STRATA_WRITE_DOCS === "1") {
    writeFileSync(PAGE, `${before}${MARK}\n${table()}`);
    return expect(after).toBeDefined();
  }
  expect(after).toBe(`\n${table()}`);
});
