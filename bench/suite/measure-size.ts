/**
 * One question at one size: its subjects in turns, what they did compared, and of their rounds the figures that count.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { nextTurn } from "../../src/base/turn.ts";
import { type Answered, alternate, type Entry, FAILED, isAnswered } from "../store/alternate.ts";
import { type Spread, spread } from "../support/report.ts";
import { type Answer, OURS, type Size, type SuiteQuestion } from "./question.ts";
import type { SideResult, SizeResult } from "./result.ts";

export interface MeasureOptions {
  /** That count; one more is made before them and thrown away, but not in a smoke run. */
  readonly rounds: number;
  readonly smoke: boolean;
  /** On the disk that is measured. */
  readonly folder: string;
  /** Told who answers, and in which round. */
  readonly progress: (line: string) => void;
}

/** Never throws: whatever goes wrong is the reason why a side is missing, and begins with FAILED. */
export async function measureSize(
  question: SuiteQuestion,
  size: Size,
  options: MeasureOptions,
): Promise<SizeResult> {
  const warmUps = options.smoke || question.warmsUpItself === true ? 0 : 1;
  const folder = join(options.folder, "question");
  try {
    mkdirSync(folder);
    const { smoke, progress } = options;
    const subjects = await question.subjects(size, { folder, smoke, progress });
    let answers: readonly Answered<Answer>[];
    try {
      const entries = subjects.entries.map((entry) => watched(entry, warmUps, options));
      answers = await alternate(entries, warmUps + options.rounds);
    } finally {
      await subjects.close?.();
    }
    return resultOf(question, size, answers, warmUps);
  } catch (error) {
    const missing = `${FAILED}${error instanceof Error ? error.message : error}`;
    return { size, sides: [{ name: OURS, missing }], ratios: {} };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function watched(entry: Entry<Answer>, warmUps: number, options: MeasureOptions): Entry<Answer> {
  return {
    ...entry,
    run: async (round) => {
      const which = round < warmUps ? "warm-up" : `${round - warmUps + 1}/${options.rounds}`;
      options.progress(`${entry.name} ${which}`);
      // Where a subject is waited for without the event loop, this is when a signal is seen.
      await nextTurn();
      const answer = await entry.run(round);
      if (!Number.isFinite(answer.value)) throw new Error(`the figure is ${answer.value}`);
      return answer;
    },
  };
}

/** @throws Error if two subjects did not do the same work, or OURS is not among them */
function resultOf(
  { better }: SuiteQuestion,
  size: Size,
  answers: readonly Answered<Answer>[],
  warmUps: number,
): SizeResult {
  assertSameWork(answers);
  const ours = answers.find(({ name }) => name === OURS);
  if (ours === undefined) throw new Error(`${OURS} is not among those who are asked`);
  const peers = answers.filter((of) => of !== ours);
  const counted = (of: Answered<Answer>): readonly Answer[] =>
    isAnswered(of) ? of.rounds.slice(warmUps) : [];
  const mine = counted(ours);
  const ratios: Record<string, Spread> = {};
  for (const peer of peers) {
    const theirs = counted(peer);
    const pairs = mine.flatMap(({ value }, i) => {
      const other = theirs[i]?.value;
      return other === undefined ? [] : [better === "more" ? value / other : other / value];
    });
    // Nothing is so many times better than nothing.
    const told = pairs.filter((ratio) => Number.isFinite(ratio));
    if (told.length > 0) ratios[peer.name] = spread(told);
  }
  const digest = mine[0]?.digest;
  return {
    size,
    sides: [ours, ...peers].map((of) => sideOf(of, counted(of))),
    ratios,
    ...(digest !== undefined && { digest }),
  };
}

function sideOf(answered: Answered<Answer>, rounds: readonly Answer[]): SideResult {
  const { name } = answered;
  if (!isAnswered(answered)) return { name, missing: answered.missing };
  const values = rounds.map(({ value }) => value);
  const names = new Set(rounds.flatMap(({ beside = {} }) => Object.keys(beside)));
  const beside = [...names].map((of): [string, number] => [
    of,
    spread(rounds.flatMap((round) => round.beside?.[of] ?? [])).median,
  ]);
  return { name, values, spread: spread(values), beside: Object.fromEntries(beside) };
}

/** Of every round, the one that is thrown away too. */
function assertSameWork(answers: readonly Answered<Answer>[]): void {
  const answered = answers.filter(isAnswered);
  const rounds = Math.max(0, ...answered.map((of) => of.rounds.length));
  for (let round = 0; round < rounds; round++) {
    const told = answered.flatMap(({ name, rounds: of }) => {
      const digest = of[round]?.digest;
      return digest === undefined ? [] : [{ name, digest }];
    });
    if (new Set(told.map(({ digest }) => digest)).size < 2) continue;
    const list = told.map(({ name, digest }) => `${name} ${digest}`).join(", ");
    throw new Error(`the subjects did not do the same work: ${list}`);
  }
}
