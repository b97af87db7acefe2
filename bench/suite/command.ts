/** The command: what is asked for is measured or read, shown, left in a file, and compared. */
import { writeFileSync } from "node:fs";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { askedOf, type BenchOptions, parseOptions } from "./options.ts";
import { LineProgress, type ProgressOutput } from "./progress.ts";
import type { SuiteQuestion } from "./question.ts";
import { readResult } from "./read-result.ts";
import type { SuiteResult } from "./result.ts";
import { type Asked, failures, runSuite } from "./run-suite.ts";
import { showResult } from "./table.ts";
import { UsageError } from "./usage-error.ts";

export interface BenchIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressOutput;
}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** @returns the exit code: 0, 1 for a failure or a regression, 2 for arguments and files that are of no use. */
export async function benchCommand(
  args: readonly string[],
  { stdout, stderr }: BenchIo,
  all: readonly SuiteQuestion[],
): Promise<number> {
  try {
    const options = parseOptions(args, (text) => stdout.write(text));
    if (options === undefined) return 0;
    if (options.list) {
      stdout.write(listOf(askedOf(all, options)));
      return 0;
    }
    return await answer(options, { stdout, stderr }, all);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`bench: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function answer(
  options: BenchOptions,
  { stdout, stderr }: BenchIo,
  all: readonly SuiteQuestion[],
): Promise<number> {
  const result =
    options.from === undefined
      ? await measured(options, stderr, askedOf(all, options))
      : readResult(options.from);
  stdout.write(`${showResult(result)}\n`);
  const failed = failures(result);
  for (const line of failed) stderr.write(`bench: ${line}\n`);
  if (options.json !== undefined) save(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  return failed.length > 0 ? EXIT_FAILED : 0;
}

async function measured(
  options: BenchOptions,
  stderr: ProgressOutput,
  asked: readonly Asked[],
): Promise<SuiteResult> {
  // A file that cannot be written is told before the hour that fills it.
  if (options.json !== undefined) save(options.json, "");
  const progress = new LineProgress(stderr);
  const { smoke, rounds } = options;
  const result = await runSuite(asked, { smoke, rounds, folder: scratchFolder("bench"), progress });
  progress.end();
  return result;
}

/** @throws UsageError if it cannot be written */
function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`--json: ${error instanceof Error ? error.message : error}`);
  }
}

function listOf(asked: readonly Asked[]): string {
  return asked
    .map(({ question: { name, about, unit }, sizes }) => {
      const labels = sizes.map(({ label }) => label).join("; ");
      return `${name} [${unit}]: ${about}\n    ${labels}\n`;
    })
    .join("");
}
