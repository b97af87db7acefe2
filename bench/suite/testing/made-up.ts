/** Questions with made-up answers, and the command asked about them. */
import { readFileSync } from "node:fs";
import type { Machine } from "../../support/machine.ts";
import { benchCommand } from "../command.ts";
import type { Answer, Size, SuiteQuestion } from "../question.ts";
import type { SuiteResult } from "../result.ts";

export const SMALL: Size = { label: "10 keys", keys: 10, valueBytes: 8 };
export const LARGE: Size = { label: "1,000 keys", keys: 1000, valueBytes: 8 };

export interface Made {
  readonly name?: string;
  readonly better?: "more" | "less";
  /** By subject: its answers round by round, the warm-up's first, or why it is missing. */
  readonly sides: Readonly<Record<string, readonly (number | Answer)[] | string>>;
  readonly goal?: SuiteQuestion["goal"];
}

/** A question whose answers are made up. */
export function made({ name = "made/up", better = "more", sides, goal }: Made): SuiteQuestion {
  return {
    name,
    group: "in memory",
    about: "what is made up",
    unit: "ops/s",
    better,
    durability: "",
    ...(goal !== undefined && { goal }),
    sizes: [SMALL, LARGE],
    smokeSize: SMALL,
    subjects: () => ({
      entries: Object.entries(sides).map(([side, answers]) => ({
        name: side,
        ...(typeof answers === "string" && { missing: answers }),
        run: async (round: number): Promise<Answer> => {
          const answer = answers[round] ?? Number.NaN;
          return typeof answer === "object" ? answer : { value: Number(answer), digest: "d" };
        },
      })),
    }),
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const MACHINE: Machine = {
  cpu: "an abacus",
  cores: 2,
  memoryBytes: 2 ** 30,
  kernel: "6.1",
  fileSystem: "ext4",
  node: "v20.0.0",
  go: "1.19",
  bbolt: "1.3.6",
  fdatasync: { medianUs: 100, p99Us: 200 },
};

export async function bench(args: string, ...questions: readonly SuiteQuestion[]): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
  };
  const code = await benchCommand(args.split(" ").filter(Boolean), io, {
    questions,
    describeMachine: () => MACHINE,
    writeReport: async (result, folder) => result.questions.map(({ name }) => `${folder}/${name}`),
  });
  return { code, stdout, stderr };
}

/** What --json has left. */
export function savedResult(path: string): SuiteResult {
  return JSON.parse(readFileSync(path, "utf8")) as SuiteResult;
}
