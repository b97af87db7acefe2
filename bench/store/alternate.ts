/**
 * Subjects in turn, A, B, C, A, B, C, …, so that a slow minute of the machine is everybody's; each answers in a process
 * of its own. One that is missing or fails is named in the result.
 */
import { spawnSync } from "node:child_process";
import { type Spread, spread } from "../support/report.ts";

export interface Entry<R> {
  readonly name: string;
  /** Why it cannot take part. */
  readonly missing?: string;
  run(round: number): Promise<R>;
}

export type Answered<R> =
  | { readonly name: string; readonly rounds: readonly R[] }
  | { readonly name: string; readonly missing: string };

/** How the reason of one that has failed begins, and is told from one that is not on this machine. */
export const FAILED = "failed: ";

export async function alternate<R>(
  entries: readonly Entry<R>[],
  rounds: number,
  progress: (line: string) => void = () => undefined,
): Promise<Answered<R>[]> {
  const states = entries.map((entry) => ({ entry, answers: [] as R[], missing: entry.missing }));
  for (let round = 0; round < rounds; round++) {
    for (const state of states) {
      if (state.missing !== undefined) continue;
      progress(`${state.entry.name} ${round + 1}/${rounds}`);
      try {
        state.answers.push(await state.entry.run(round));
      } catch (error) {
        state.missing = `${FAILED}${error instanceof Error ? error.message : error}`;
        progress(`${state.entry.name}: ${state.missing}`);
      }
    }
  }
  return states.map(({ entry: { name }, answers, missing }) =>
    missing === undefined ? { name, rounds: answers } : { name, missing },
  );
}

export function isAnswered<R>(
  answered: Answered<R>,
): answered is Answered<R> & { readonly rounds: readonly R[] } {
  return "rounds" in answered;
}

/** Says who did not take part, and why; a failure is also one of the whole program. */
export function sayMissing<R>(answers: readonly Answered<R>[]): void {
  for (const answered of answers) {
    if (isAnswered(answered)) continue;
    console.log(`${answered.name}: MISSING: ${answered.missing}`);
    if (answered.missing.startsWith(FAILED)) process.exitCode = 1;
  }
}

/** Those whose names begin with a case of its own, as in "1000 strata", without it. */
export function ofCase<R>(answers: readonly Answered<R>[], name: string): Answered<R>[] {
  const prefix = `${name} `;
  return answers
    .filter((answered) => answered.name.startsWith(prefix))
    .map((answered) => ({ ...answered, name: answered.name.slice(prefix.length) }));
}

/** Round by round, since only one round ran at the same time. */
export function ratios<R>(
  ours: readonly R[],
  theirs: readonly R[],
  value: (of: R) => number,
): Spread {
  return spread(ours.map((mine, i) => value(mine) / value(theirs[i] as R)));
}

/** First argument of a program that is to answer for one subject. */
export const SIDE = "--side";

/** `program --side QUESTION`, with the question and the answer in JSON. */
export function askSide<Q, R>(program: string): (question: Q) => Promise<R> {
  return async (question) => {
    const args = [...process.execArgv, program, SIDE, JSON.stringify(question)];
    const options = { encoding: "utf8", maxBuffer: 2 ** 30, env: envOfSide() } as const;
    const ran = spawnSync(process.execPath, args, options);
    if (ran.status !== 0) {
      const said = ran.stderr.split("\n").find((line) => /Error/.test(line)) ?? ran.stderr;
      throw new Error(`${ran.error ?? ran.signal ?? `exit ${ran.status}`}: ${said.trim()}`);
    }
    return JSON.parse(ran.stdout) as R;
  };
}

/** A side is no test, even where a test has asked it. */
export function envOfSide(): NodeJS.ProcessEnv {
  const { VITEST: _, ...env } = process.env;
  return env;
}

export function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export function shownSpread(of: Spread, show: (value: number) => string = shown): string {
  return `${show(of.median)} (${show(of.min)}–${show(of.max)})`;
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
