/** Small pieces of work in memory, on tinybench, each in a process of its own. */
import { join } from "node:path";
import { projectFolder } from "../../../test/support/judge.ts";
import { askSide } from "../../store/alternate.ts";
import type { MicroAsk } from "../micro/answer.ts";
import { CASES } from "../micro/cases.ts";
import type { MicroCase } from "../micro/micro-case.ts";
import type { Answer, SuiteQuestion } from "../question.ts";

const TIME_MS = 400;
const SMOKE_TIME_MS = 5;

/** @param ask  of one subject: in a process of its own, or here, where a test asks */
export function microQuestions(
  cases: readonly MicroCase[],
  ask: (question: MicroAsk) => Promise<Answer>,
): SuiteQuestion[] {
  return cases.map(({ name, about, unit, better, goal, sizes, subjects }) => ({
    name,
    group: "in memory",
    about,
    unit,
    better,
    durability: "",
    ...(goal !== undefined && { goal }),
    sizes,
    smokeSize: sizes[0],
    warmsUpItself: true,
    subjects: (size, { smoke }) => ({
      entries: Object.keys(subjects).map((subject) => ({
        name: subject,
        run: () => ask({ name, subject, size, timeMs: smoke ? SMOKE_TIME_MS : TIME_MS }),
      })),
    }),
  }));
}

export const MICRO: readonly SuiteQuestion[] = microQuestions(
  CASES,
  askSide(join(projectFolder(), "dist/bench/suite/micro/side.js")),
);
