/** The table of flags in the docs is the one that is in force: STRATA_WRITE_DOCS=1 writes it anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SERVER_FLAGS } from "./flag-table.ts";

const PAGE = join(import.meta.dirname, "../../../docs/server.md");
const MARK = "<!-- flags: written by src/server/config/flag-docs.test.ts -->\n";

function table(): string {
  const plain = SERVER_FLAGS.filter(({ presentName }) => presentName === undefined);
  const sections = [...new Set(plain.map(({ section }) => section))].map((section) => {
    const rows = plain
      .filter((flag) => flag.section === section)
      .map(({ name, default: text, relevance, help }) => {
        const shown = text === "" ? "" : `\`${text}\``;
        return `| \`${name}\` | ${shown} | ${relevance} | ${help} |\n`;
      });
    return `### ${section}\n\n| flag | default | | meaning |\n| --- | --- | --- | --- |\n${rows.join("")}`;
  });
  return sections.join("\n");
}

test("the docs have every flag as it is", () => {
  const text = readFileSync(PAGE, "utf8");
  const [before = "", after] = text.split(MARK);
  if (process.env.STRATA_WRITE_DOCS === "1") {
    writeFileSync(PAGE, `${before}${MARK}\n${table()}`);
    return expect(after).toBeDefined();
  }
  expect(after).toBe(`\n${table()}`);
});
