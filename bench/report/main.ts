/**
 * Draws a result that was saved: one page, and charts as files of their own.
 *
 *     node dist/bench/report/main.js RESULT.json DIR
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { RESULT_VERSION, type SuiteResult } from "../suite/result.ts";
import { writeReport } from "./report.ts";

const USAGE = "node dist/bench/report/main.js RESULT.json DIR";

try {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [file, folder] = positionals;
  if (file === undefined || folder === undefined || positionals.length > 2)
    throw new Error(`takes a result and a folder: ${USAGE}`);
  for (const path of await writeReport(savedResult(file), folder)) console.log(path);
} catch (error) {
  console.error(`report: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

/** @throws Error in one line if it is not what `npm run bench -- --json FILE` leaves */
function savedResult(file: string): SuiteResult {
  let saved: unknown;
  try {
    saved = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`);
  }
  if (!isResult(saved)) {
    throw new Error(
      `${file}: not a result of version ${RESULT_VERSION} of npm run bench -- --json`,
    );
  }
  return saved;
}

function isResult(saved: unknown): saved is SuiteResult {
  return (
    typeof saved === "object" &&
    saved !== null &&
    "version" in saved &&
    saved.version === RESULT_VERSION &&
    "questions" in saved &&
    Array.isArray(saved.questions) &&
    "machine" in saved &&
    "peers" in saved
  );
}
