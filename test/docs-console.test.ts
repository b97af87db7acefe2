/**
 * What README and docs show of a terminal is typed, page by page, and says what stands there; ids, sizes, times and
 * the width of columns may differ. All of it needs STRATA_FULL=1, as in `.ci/run`; the README's is typed always, as far
 * as it needs no real etcd.
 */
import { expect, onTestFinished, test } from "vitest";
import {
  ACCOUNTED,
  blocksOf,
  CONSOLE_TEST,
  PAGES,
  readPage,
  type Step,
  stepsOf,
} from "./support/console-blocks.ts";
import { ConsoleSession, masked } from "./support/console-session.ts";

const FULL = process.env.STRATA_FULL === "1";

const pages = PAGES.filter((page) =>
  ACCOUNTED.some((block) => block.page === page && block.typedBy === CONSOLE_TEST),
).filter((page) => FULL || page === "README.md");

/** A server where the page starts none itself. */
const SERVER: Step = { command: "strata --data-dir default.etcd &", says: [], interrupted: false };

/** Lines up to `…` are compared, and the rest is not. */
function expectSaid({ command, says }: Step, said: readonly string[]): void {
  const cut = says.indexOf("…");
  const wanted = (cut < 0 ? says : says.slice(0, cut)).map(masked);
  expect([command, ...(cut < 0 ? said : said.slice(0, cut))]).toEqual([command, ...wanted]);
}

test.each(pages)("%s", async (page) => {
  const [, unit] = /^ExecStart=(.*)$/m.exec(blocksOf(page, "ini").join("\n")) ?? [];
  const session = await ConsoleSession.open(unit);
  onTestFinished(() => session.close());
  const shown = blocksOf(page, "console").flatMap(stepsOf);
  const etcd = shown.findIndex(({ command }) => /^etcd /.test(command));
  const steps = FULL || etcd < 0 ? shown : shown.slice(0, etcd);
  if (!steps.some(({ command }) => /^strata .*&$|^systemctl/.test(command))) steps.unshift(SERVER);
  let compared = 0;
  for (const step of steps) {
    const said = await session.type(step);
    if (step.says.length === 0) continue;
    expectSaid(step, said);
    compared++;
  }
  expect(compared).toBeGreaterThan(1);
  // What it says of metrics is there to be scraped.
  const named = readPage(page).match(/\b(?:etcd|strata)_[a-z_]+(?<!_bucket)\b/g) ?? [];
  if (named.length === 0) return;
  const metrics = await session.fetch("/metrics");
  for (const name of named) expect(metrics).toContain(`# TYPE ${name.replace(/_bucket$/, "")} `);
});
