/**
 * The page file against bbolt in Go.
 *
 *     node dist/bench/pagefile.js [--smoke | --revisions N] [--rounds N] [--only REGEX] [--json FILE]
 *
 * Files are made in the system's folder for temporary ones: set TMPDIR to measure another disk.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../test/support/cleanup.ts";
import { BULK_LOAD } from "./pagefile/bulk-load.ts";
import { PAGE_FILE_QUESTIONS } from "./pagefile/questions.ts";
import { describeMachine } from "./support/machine.ts";
import { FULL_SIZE, SMOKE_SIZE, sizeOf } from "./support/question.ts";
import { showTable, summarise } from "./support/report.ts";
import { answerSide, inOwnProcess, runQuestions, SIDE } from "./support/runner.ts";

function main(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      smoke: { type: "boolean", default: false },
      revisions: { type: "string" },
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 3));
  const revisions = Number(values.revisions ?? FULL_SIZE.revisions);
  if (!(Number.isInteger(rounds) && rounds > 0 && Number.isInteger(revisions) && revisions > 0)) {
    throw new Error("--rounds and --revisions are whole numbers from 1 on");
  }
  const only = new RegExp(values.only);
  const questions = PAGE_FILE_QUESTIONS.filter(({ name }) => only.test(name));
  if (questions.length === 0) throw new Error(`no question matches ${only}`);

  const folder = scratchFolder("bench");
  const machine = describeMachine(folder);
  console.log(machine);
  if (machine.go === undefined)
    console.log(`bbolt is missing, ours alone is measured: ${machine.why}`);
  const size = values.smoke ? SMOKE_SIZE : sizeOf(revisions);
  const results = runQuestions(questions, {
    size,
    rounds,
    folder,
    withPeer: machine.go !== undefined,
    ours: inOwnProcess(fileURLToPath(import.meta.url)),
    load: BULK_LOAD,
    progress: (line) => console.error(line),
  });
  const summaries = results.map(summarise);
  console.log(showTable(summaries));
  for (const { name, about, digest } of summaries)
    console.log(`${name}: ${about}; digest ${digest}`);
  if (values.json !== undefined) {
    const raw = results.map(({ question, rounds }) => ({ name: question.name, rounds }));
    const report = { at: new Date().toISOString(), machine, size, summaries, raw };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

const [first, ...rest] = process.argv.slice(2);
if (first === SIDE) answerSide(PAGE_FILE_QUESTIONS, rest);
else main(process.argv.slice(2));
