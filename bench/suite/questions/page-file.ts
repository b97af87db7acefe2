/** The page file beside bbolt in Go: the questions of bench/pagefile, at several sizes. */
import { join } from "node:path";
import { judgeBench, type Measured, projectFolder } from "../../../test/support/judge.ts";
import { peer } from "../../../test/support/peers.ts";
import { BULK_LOAD } from "../../pagefile/bulk-load.ts";
import { PAGE_FILE_QUESTIONS } from "../../pagefile/questions.ts";
import {
  type Size as Amounts,
  sizeOf as amountsOf,
  type Question,
  SMOKE_SIZE,
} from "../../support/question.ts";
import { inOwnProcess, onFile, settle } from "../../support/runner.ts";
import {
  type Answer,
  type AskContext,
  OURS,
  type Size,
  type Subjects,
  type SuiteQuestion,
} from "../question.ts";
import { fileSizes, sizeOf } from "./support.ts";

/** Of strata's side of one question: in a process of its own, or here, where a test asks. */
export type AskOurs = (question: Question, file: string, amounts: Amounts) => Measured;

const PEER = "bbolt";

const SIZES: readonly Size[] = fileSizes("keys");

const SMOKE: Size = sizeOf(SMOKE_SIZE.revisions, SMOKE_SIZE.valueBytes);

function amounts(size: Size, smoke: boolean): Amounts {
  return smoke ? SMOKE_SIZE : { ...amountsOf(size.keys), valueBytes: size.valueBytes };
}

function subjectsOf(question: Question, size: Size, context: AskContext, ours: AskOurs): Subjects {
  const go = peer("go-bbolt");
  const much = amounts(size, context.smoke);
  const loaded = join(context.folder, "loaded.db");
  if (question.start !== "empty") {
    context.progress("loading");
    if (go.found) judgeBench(BULK_LOAD.theirs(loaded, much));
    else ours(BULK_LOAD, loaded, much);
    settle(loaded);
  }
  const entry = (name: string, work: (file: string) => Measured, missing?: string) => ({
    name,
    ...(missing !== undefined && { missing }),
    run: async () => answerOf(onFile(question, loaded, context.folder, work)),
  });
  return {
    entries: [
      entry(OURS, (file) => ours(question, file, much)),
      entry(PEER, (file) => judgeBench(question.theirs(file, much)), go.found ? undefined : go.why),
    ],
  };
}

function answerOf({ ops, seconds, cpuSeconds, peakRssBytes, digest }: Measured): Answer {
  return {
    value: ops / seconds,
    digest: `${ops} ${digest}`,
    beside: { "CPU µs each": (cpuSeconds / ops) * 1e6, "peak MiB": peakRssBytes / 2 ** 20 },
  };
}

/** @param ours  default: the built bench/pagefile.js, which answers for one question */
export function pageFileQuestions(
  ours: AskOurs = inOwnProcess(join(projectFolder(), "dist/bench/pagefile.js")),
): SuiteQuestion[] {
  return PAGE_FILE_QUESTIONS.map((question) => ({
    name: `page-file/${question.name}`,
    group: "page file",
    about: question.about,
    unit: `${question.unit}/s`,
    better: "more",
    durability: /durable/.test(question.about)
      ? "each transaction is on the disk before the next one begins"
      : "",
    ...(question.goal !== undefined && {
      goal: { kind: "ratio", peer: PEER, atLeast: question.goal },
    }),
    sizes: SIZES,
    smokeSize: SMOKE,
    subjects: (size, context) => subjectsOf(question, size, context, ours),
  }));
}

export const PAGE_FILE: readonly SuiteQuestion[] = pageFileQuestions();
