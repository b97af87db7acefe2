/** The command: what is asked for is measured or read, shown, left in a file, and compared. */
import { writeFileSync } from "node:fs";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { Machine } from "../support/machine.ts";
import { compareResults, hasRegression } from "./compare.ts";
import { askedOf, type BenchOptions, parseOptions } from "./options.ts";
import { LineProgress, type ProgressOutput } from "./progress.ts";
import type { SuiteQuestion } from "./question.ts";
import { readResult } from "./read-result.ts";
import type { SuiteResult } from "./result.ts";
import { type Asked, failures, runSuite } from "./run-suite.ts";
import { showComparison } from "./show-comparison.ts";
import { showResult } from "./table.ts";
import { UsageError } from "./usage-error.ts";

export interface BenchIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressOutput;
}

/** What the command knows of. */
export interface BenchWorld {
  readonly questions: readonly SuiteQuestion[];
  readonly describeMachine: (folder: string) => Machine;
  /** @returns the paths that were written */
  readonly writeReport: (result: SuiteResult, folder: string) => Promise<readonly string[]>;
}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** @returns the exit code: 0, 1 for a failure or a regression, 2 for arguments and files that are of no use. */
export async function benchCommand(
  args: readonly string[],
  { stdout, stderr }: BenchIo,
  world: BenchWorld,
): Promise<number> {
  try {
    const options = parseOptions(args, (text) => stdout.write(text));
    if (options === undefined) return 0;
    if (options.list) {
      stdout.write(listOf(askedOf(world.questions, options)));
      return 0;
    }
    return await answer(options, { stdout, stderr }, world);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`bench: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function answer(
  options: BenchOptions,
  { stdout, stderr }: BenchIo,
  world: BenchWorld,
): Promise<number> {
  // What cannot be read is told before the hour, too.
  const before = options.compare === undefined ? undefined : readResult(options.compare);
  const result =
    options.from === undefined ? await measured(options, stderr, world) : readResult(options.from);
  stdout.write(`${showResult(result)}\n`);
  const failed = failures(result);
  for (const line of failed) stderr.write(`bench: ${line}\n`);
  if (options.json !== undefined) save(options.json, asText(result));
  if (options.report !== undefined) {
    const written = await world.writeReport(result, options.report);
    for (const path of written) stdout.write(`written: ${path}\n`);
  }
  const regressed = before !== undefined && regressedFrom(before, result, options.margin, stdout);
  return failed.length > 0 || regressed ? EXIT_FAILED : 0;
}

/** @throws UsageError if the two have nothing in common */
function regressedFrom(
  before: SuiteResult,
  after: SuiteResult,
  margin: number,
  stdout: BenchIo["stdout"],
): boolean {
  const comparison = compareResults(before, after, margin);
  if (comparison.changes.length + comparison.lost.length === 0) {
    throw new UsageError("--compare: the two results have no question and size in common");
  }
  stdout.write(`\n${showComparison(comparison, before, after, margin)}\n`);
  return hasRegression(comparison);
}

async function measured(
  options: BenchOptions,
  stderr: ProgressOutput,
  { questions, describeMachine }: BenchWorld,
): Promise<SuiteResult> {
  const asked = askedOf(questions, options);
  const { json } = options;
  // A file that cannot be written is told before the hour that fills it.
  if (json !== undefined) save(json, "");
  const keep = json === undefined ? {} : { keep: (so: SuiteResult) => save(json, asText(so)) };
  const progress = new LineProgress(stderr);
  const { smoke, rounds } = options;
  const folder = scratchFolder("bench");
  const result = await runSuite(asked, {
    smoke,
    rounds,
    folder,
    progress,
    describeMachine,
    ...keep,
  });
  progress.end();
  return result;
}

function asText(result: SuiteResult): string {
  return `${JSON.stringify(result, undefined, 2)}\n`;
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
