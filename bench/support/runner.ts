/**
 * Asks questions of both sides in turn: ours, theirs, ours, theirs, … so that a disk or a neighbour that has a slow
 * minute has it for both. Each side answers in a process of its own and times only the work; a round in which the two
 * digests differ is no result but an error.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SystemFile } from "../../native-free/file.ts";
import { judgeBench, type Measured } from "../../test/support/judge.ts";
import type { Question, Size } from "./question.ts";

export interface RunOptions {
  readonly size: Size;
  readonly rounds: number;
  /** On the disk that is measured. */
  readonly folder: string;
  /** Whether there is a peer to compare with. */
  readonly withPeer: boolean;
  /** Our side of a question. */
  readonly ours: (question: Question, file: string, size: Size) => Measured;
  /** The question whose file is the loaded one. */
  readonly load: Question;
  readonly progress?: (line: string) => void;
}

export interface Round {
  readonly ours: Measured;
  readonly theirs: Measured | undefined;
}

export interface Result {
  readonly question: Question;
  readonly rounds: readonly Round[];
}

/** @throws Error if the two sides did not do the same work, or one of them failed */
export function runQuestions(questions: readonly Question[], options: RunOptions): Result[] {
  const loaded = join(options.folder, "loaded.db");
  if (questions.some(({ start }) => start !== "empty")) {
    options.progress?.(`loading ${options.size.revisions} revisions`);
    if (options.withPeer) judgeBench(options.load.theirs(loaded, options.size));
    else options.ours(options.load, loaded, options.size);
    settle(loaded);
  }
  return questions.map((question) => {
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round++) {
      options.progress?.(`${question.name} ${round + 1}/${options.rounds}`);
      rounds.push(runRound(question, loaded, options));
    }
    return { question, rounds };
  });
}

function runRound(question: Question, loaded: string, options: RunOptions): Round {
  const { size } = options;
  const ours = onFile(question, loaded, options.folder, (file) =>
    options.ours(question, file, size),
  );
  if (!options.withPeer) return { ours, theirs: undefined };
  const theirs = onFile(question, loaded, options.folder, (file) =>
    judgeBench(question.theirs(file, size)),
  );
  if (ours.ops !== theirs.ops || ours.digest !== theirs.digest) {
    const shown = JSON.stringify({ ours, theirs });
    throw new Error(`${question.name}: the two sides did not do the same work: ${shown}`);
  }
  return { ours, theirs };
}

/** The work on the file that the question starts with; `loaded` is left as it is. */
export function onFile(
  question: Question,
  loaded: string,
  folder: string,
  work: (file: string) => Measured,
): Measured {
  if (question.start === "loaded") return work(loaded);
  const own = join(folder, "own.db");
  rmSync(own, { force: true });
  if (question.start === "copy") {
    copyFileSync(loaded, own);
    settle(own);
  }
  try {
    return work(own);
  } finally {
    rmSync(own, { force: true });
  }
}

/** What is still on its way to the disk would be paid for by whoever syncs next. */
export function settle(path: string): void {
  const file = new SystemFile(path, "write");
  file.sync();
  file.close();
}

/** First argument of the program when it is started for our side of one question. */
export const SIDE = "--side";

/** Our side in a process of its own: `program` started as `program --side NAME FILE SIZE`. */
export function inOwnProcess(program: string): RunOptions["ours"] {
  return (question, file, size) => {
    const args = [...process.execArgv, program, SIDE, question.name, file, JSON.stringify(size)];
    const ran = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`${question.name}: ${ran.error ?? ran.stderr}`);
    return JSON.parse(ran.stdout) as Measured;
  };
}

/** The other end of `inOwnProcess`. */
export function answerSide(questions: readonly Question[], args: readonly string[]): void {
  const [name, file, size] = args;
  const question = questions.find((each) => each.name === name);
  if (question === undefined || file === undefined || size === undefined) {
    throw new Error(`${SIDE} takes a question, a file and a size`);
  }
  process.stdout.write(JSON.stringify(question.ours(file, JSON.parse(size) as Size)));
}
