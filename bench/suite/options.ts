/** The arguments of `npm run bench`. */
import { Command } from "commander";
import { parseArguments } from "./parse-arguments.ts";
import type { Size, SuiteQuestion } from "./question.ts";
import type { Asked } from "./run-suite.ts";
import { UsageError } from "./usage-error.ts";

export interface BenchOptions {
  readonly smoke: boolean;
  readonly only: RegExp;
  readonly list: boolean;
  /** "largest", "all", or what labels match. */
  readonly sizes: string | RegExp;
  /** Undefined: each question's own. */
  readonly rounds: number | undefined;
  readonly json: string | undefined;
  /** A saved result instead of a new one. */
  readonly from: string | undefined;
  readonly compare: string | undefined;
  /** 0.25 is 25 %. */
  readonly margin: number;
  readonly report: string | undefined;
}

const ROUNDS_MAX = 1000;
export const REPORT_FOLDER = "bench-report";

/**
 * @returns undefined if help was asked for, which is then written
 * @throws UsageError
 */
export function parseOptions(
  args: readonly string[],
  write: (text: string) => void,
): BenchOptions | undefined {
  const program = new Command("npm run bench --")
    .description("Measures strata beside its peers, on this machine and on the disk of TMPDIR.")
    .option("--smoke", "every question small and once: shows that all of it works")
    .option("--only <REGEX>", "questions whose names match")
    .option("--list", "say what there is to ask, and ask nothing")
    .option(
      "--sizes <largest|all|REGEX>",
      "which sizes of each question, or whose labels match",
      "largest",
    )
    .option("--rounds <N>", "repeats that count, for every question")
    .option("--json <FILE>", "leave the result there")
    .option("--from <FILE>", "measure nothing, and take the result that --json has left")
    .option("--compare <FILE>", "compare with that earlier result: exit code 1 at a regression")
    .option("--margin <PERCENT>", "how much worse is a regression", "25")
    .option("--report [FOLDER]", `write a page and its charts there (${REPORT_FOLDER})`);
  if (!parseArguments(program, args, write)) return undefined;
  return checked(program.opts());
}

/** As commander leaves them. */
interface Given {
  readonly smoke?: true;
  readonly only?: string;
  readonly list?: true;
  readonly sizes: string;
  readonly rounds?: string;
  readonly json?: string;
  readonly from?: string;
  readonly compare?: string;
  readonly margin: string;
  readonly report?: string | true;
}

function checked(given: Given): BenchOptions {
  const { smoke = false, list = false, sizes, from } = given;
  if (smoke && sizes !== "largest")
    throw new UsageError("--smoke has sizes of its own: no --sizes");
  for (const name of ["smoke", "only", "rounds", "json"] as const) {
    if (from !== undefined && given[name] !== undefined) {
      throw new UsageError(`--from measures nothing: no --${name}`);
    }
  }
  return {
    smoke,
    only: regExp("--only", given.only ?? ""),
    list,
    sizes: sizes === "all" || sizes === "largest" ? sizes : regExp("--sizes", sizes),
    rounds: given.rounds === undefined ? undefined : rounds(given.rounds),
    json: given.json,
    from,
    compare: given.compare,
    margin: margin(given.margin),
    report: given.report === true ? REPORT_FOLDER : given.report,
  };
}

function regExp(option: string, text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : error}`);
  }
}

function rounds(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= ROUNDS_MAX) return count;
  throw new UsageError(`--rounds is a whole number from 1 to ${ROUNDS_MAX}, not "${text}"`);
}

function margin(text: string): number {
  const percent = Number(text);
  if (/^\d+(\.\d+)?%?$/.test(text) === false || Number.isNaN(Number.parseFloat(text))) {
    throw new UsageError(`--margin is a number of percent from 0 on, not "${text}"`);
  }
  return (Number.isNaN(percent) ? Number.parseFloat(text) : percent) / 100;
}

/** @throws UsageError if nothing is left to ask */
export function askedOf(all: readonly SuiteQuestion[], options: BenchOptions): Asked[] {
  const named = all.filter(({ name }) => options.only.test(name));
  if (named.length === 0) throw new UsageError(`--only: no question matches ${options.only}`);
  const asked = named
    .map((question) => ({ question, sizes: sizesOf(question, options) }))
    .filter(({ sizes }) => sizes.length > 0);
  if (asked.length === 0) throw new UsageError(`--sizes: no size matches ${options.sizes}`);
  return asked;
}

function sizesOf(question: SuiteQuestion, { smoke, sizes }: BenchOptions): readonly Size[] {
  if (smoke) return [question.smokeSize];
  if (sizes === "all") return question.sizes;
  if (sizes instanceof RegExp) return question.sizes.filter(({ label }) => sizes.test(label));
  return question.sizes.slice(-1);
}
