/** All questions that were asked for, one after another, and where the answers come from. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../test/support/judge.ts";
import { FAILED } from "../store/alternate.ts";
import type { Machine } from "../support/machine.ts";
import { measureSize } from "./measure-size.ts";
import { peersFound } from "./peers-found.ts";
import type { Size, SuiteQuestion } from "./question.ts";
import {
  type QuestionResult,
  RESULT_VERSION,
  type SizeResult,
  type SuiteResult,
} from "./result.ts";

/** Repeats that count, where neither the caller nor the question says how many. */
export const ROUNDS = 5;

export interface SuiteOptions {
  readonly smoke: boolean;
  /** Instead of each question's own. */
  readonly rounds: number | undefined;
  readonly describeMachine: (folder: string) => Machine;
  /** Empty, on the disk that is measured. */
  readonly folder: string;
  readonly progress: SuiteProgress;
  /** Gets all that was measured so far, after each question: a run of an hour need not be lost with its last question. */
  readonly keep?: (result: SuiteResult) => void;
}

/** How far the run is: told before each size of a question, and within it. */
export interface SuiteProgress {
  asking(question: string, size: string, index: number, count: number): void;
  within(line: string): void;
}

export interface Asked {
  readonly question: SuiteQuestion;
  readonly sizes: readonly Size[];
}

export async function runSuite(
  asked: readonly Asked[],
  { smoke, rounds, folder, progress, describeMachine, keep }: SuiteOptions,
): Promise<SuiteResult> {
  const at = new Date().toISOString();
  const machine = describeMachine(folder);
  const count = asked.reduce((sum, { sizes }) => sum + sizes.length, 0);
  const questions: QuestionResult[] = [];
  const soFar = (): SuiteResult => ({
    version: RESULT_VERSION,
    at,
    smoke,
    strata: strataVersion(),
    machine,
    peers: peersFound(questions, machine),
    questions,
  });
  let index = 0;
  for (const { question, sizes } of asked) {
    const results: SizeResult[] = [];
    for (const size of sizes) {
      progress.asking(question.name, size.label, ++index, count);
      const result = await measureSize(question, size, {
        rounds: rounds ?? (smoke ? 1 : (question.rounds ?? ROUNDS)),
        smoke,
        folder,
        progress: (line) => progress.within(line),
      });
      results.push(result);
      for (const failure of failuresOf(question.name, result)) progress.within(failure);
    }
    questions.push(questionResult(question, results, smoke));
    keep?.(soFar());
  }
  return soFar();
}

function questionResult(
  { name, group, about, unit, better, durability, goal, sizes: all }: SuiteQuestion,
  sizes: readonly SizeResult[],
  smoke: boolean,
): QuestionResult {
  const isGoals = !smoke && sizes.at(-1)?.size.label === all.at(-1)?.label;
  const judged = goal !== undefined && isGoals ? { goal } : {};
  return { name, group, about, unit, better, durability, ...judged, sizes };
}

/** What went wrong, a line each; what is only not on this machine is no failure. */
export function failures({ questions }: SuiteResult): string[] {
  return questions.flatMap(({ name, sizes }) => sizes.flatMap((size) => failuresOf(name, size)));
}

function failuresOf(question: string, { size, sides }: SizeResult): string[] {
  return sides.flatMap((side) =>
    "missing" in side && side.missing.startsWith(FAILED)
      ? [`${question}, ${size.label}: ${side.name}: ${side.missing}`]
      : [],
  );
}

let known: string | undefined;

/** The package's, with the commit where there is one. */
function strataVersion(): string {
  known ??= lookedUpVersion();
  return known;
}

function lookedUpVersion(): string {
  const folder = projectFolder();
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const asked = ["describe", "--always", "--dirty", "--match=no-tag"];
  const { status, stdout } = spawnSync("git", asked, { cwd: folder, encoding: "utf8" });
  return status === 0 ? `${manifest.version} (${stdout.trim()})` : manifest.version;
}
