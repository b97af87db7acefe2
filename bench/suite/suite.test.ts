import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { Machine } from "../support/machine.ts";
import { benchCommand } from "./command.ts";
import type { Answer, Size, SuiteQuestion } from "./question.ts";
import type { SuiteResult } from "./result.ts";

const SMALL: Size = { label: "10 keys", keys: 10, valueBytes: 8 };
const LARGE: Size = { label: "1,000 keys", keys: 1000, valueBytes: 8 };

interface Made {
  readonly name?: string;
  readonly better?: "more" | "less";
  /** By subject: its answers round by round, the warm-up's first, or why it is missing. */
  readonly sides: Readonly<Record<string, readonly (number | Answer)[] | string>>;
  readonly goal?: SuiteQuestion["goal"];
}

/** A question whose answers are made up. */
function made({ name = "made/up", better = "more", sides, goal }: Made): SuiteQuestion {
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

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MACHINE: Machine = {
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

async function bench(args: string, ...questions: readonly SuiteQuestion[]): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
  };
  const code = await benchCommand(args.split(" ").filter(Boolean), io, {
    questions,
    describeMachine: () => MACHINE,
  });
  return { code, stdout, stderr };
}

function json(path: string): SuiteResult {
  return JSON.parse(readFileSync(path, "utf8")) as SuiteResult;
}

test("rounds in turns: the warm-up is thrown away, medians and pairs are of those that count", async () => {
  const file = join(scratchFolder("suite"), "a.json");
  const sides = { strata: [1, 100, 300, 200], bbolt: [999, 50, 100, 200], lmdb: "not installed" };
  const goal = { kind: "ratio", peer: "bbolt", atLeast: 1.5 } as const;
  const ran = await bench(`--rounds 3 --json ${file}`, made({ sides, goal }));
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toMatch(/lmdb is MISSING: not installed/);
  expect(ran.stdout).toMatch(
    /^made\/up +1,000 keys +200 \(100–300\) ops\/s +bbolt +100 \(50\.0–200\) ops\/s +2\.00 \(1\.00–3\.00\) +≥ 1\.5 × bbolt +met$/m,
  );
  expect(ran.stdout).toMatch(/^ +lmdb +MISSING: not installed$/m);
  expect(ran.stdout).toMatch(/Goals: 1 of 1 met/);
  const [question] = json(file).questions;
  expect(question?.sizes).toMatchObject([
    {
      size: LARGE,
      sides: [
        { name: "strata", values: [100, 300, 200] },
        { name: "bbolt", values: [50, 100, 200] },
        { name: "lmdb", missing: "not installed" },
      ],
      ratios: { bbolt: { median: 2, min: 1, max: 3 } },
      digest: "d",
    },
  ]);
});
