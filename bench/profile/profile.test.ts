import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { SuiteQuestion } from "../suite/question.ts";
import { profileCommand } from "./command.ts";
import { type CallFrame, callTree, selfTimes } from "./cpu-profile.ts";
import { flameGraph } from "./flame-graph.ts";

const SMALL = { label: "10 keys", keys: 10, valueBytes: 1 };
const LARGE = { label: "100 keys", keys: 100, valueBytes: 1 };

function question(name: string): SuiteQuestion {
  return {
    name,
    group: "in memory",
    about: "",
    unit: "ms",
    better: "less",
    durability: "",
    sizes: [SMALL, LARGE],
    smokeSize: { label: "smoke", keys: 1, valueBytes: 1 },
    subjects: () => ({ entries: [] }),
  };
}

const QUESTIONS = ["a/burn", "a/burn-more", "b/idle"].map(question);

interface Said {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

async function run(args: readonly string[], program = "unused.js"): Promise<Said> {
  let out = "";
  let errors = "";
  const code = await profileCommand(args, {
    questions: QUESTIONS,
    program,
    write: (text) => {
      out += text;
    },
    complain: (text) => {
      errors += text;
    },
  });
  return { code, out, errors };
}

test("every process below leaves a profile and a flame graph, and the busiest is told", async () => {
  const folder = scratchFolder("profile");
  const program = join(folder, "program.mjs");
  // It starts another one and waits for it: that one is busy, and waiting is not.
  writeFileSync(
    program,
    `import { spawnSync } from "node:child_process";
import { Worker } from "node:worker_threads";
function spin(ms) { const end = performance.now() + ms; while (performance.now() < end); }
if (process.argv[2] === "below") spin(120);
else {
  const ran = spawnSync(process.execPath, [process.argv[1], "below", ...process.argv.slice(2)]);
  if (ran.status !== 0) throw new Error(String(ran.stderr));
}
`,
  );
  const out = join(folder, "out");
  const said = await run(["a/burn", "--smoke", "--out", out], program);
  expect(said).toMatchObject({ code: 0, errors: "" });
  expect(said.out).toMatch(/^1\. \d+ ms busy: program\.mjs below a\/burn smoke smoke\n/);
  expect(said.out).toMatch(/Self time in 1\.[\s\S]* spin {2}/);
  const left = readdirSync(out);
  expect(left).toEqual(expect.arrayContaining(["1-program.cpuprofile", "1-program.svg"]));
  expect(readFileSync(join(out, "1-program.svg"), "utf8")).toMatch(
    /<title>spin [^<]*program\.mjs:3: /,
  );
});

test("the only size of a question is measured in full unless --smoke is said", async () => {
  const folder = scratchFolder("profile");
  const program = join(folder, "program.mjs");
  writeFileSync(
    program,
    "for (const end = performance.now() + 120; performance.now() < end; ) Math.sqrt(2);",
  );
  const named = async (...flags: string[]): Promise<string | undefined> => {
    const said = await run(["a/burn", ...flags, "--out", join(folder, "out")], program);
    return said.out.split("\n")[0]?.replace(/^.*busy: /, "");
  };
  expect(await named("--size", "10 keys")).toBe("program.mjs a/burn 10 keys");
  expect(await named("--smoke")).toBe("program.mjs a/burn smoke smoke");
});

test("a program that fails is a failure", async () => {
  const folder = scratchFolder("profile");
  const program = join(folder, "program.mjs");
  writeFileSync(program, "process.exit(3);");
  const said = await run(["b/idle", "--out", join(folder, "out")], program);
  expect(said).toEqual({ code: 1, out: "", errors: "profile: b/idle failed with exit code 3\n" });
});

test.each([
  [[], "which question"],
  [["nothing"], 'no question has "nothing" in its name'],
  [["burn"], "in the name of more than one question: a/burn; a/burn-more"],
  [["idle", "--size", "7 keys"], 'no size has "7 keys" in its name: 10 keys; 100 keys'],
  [["idle", "--size", "10"], "more than one size"],
  [["idle", "--size", "10 keys", "--smoke"], "no --size"],
  [["idle", "--fast"], "unknown option '--fast'"],
  [["idle", "--out", "/dev/null/x"], "--out: "],
])("%j is refused in one line", async (args, why) => {
  const { code, out, errors } = await run(args);
  expect({ code, out, lines: errors.split("\n").length }).toEqual({ code: 2, out: "", lines: 2 });
  expect(errors).toMatch(/^profile: /);
  expect(errors).toContain(why);
});

test("the list names everything", async () => {
  const { code, out } = await run(["--list"]);
  expect(code).toBe(0);
  expect(out).toContain("b/idle\n    10 keys; 100 keys\n");
});

const frame = (functionName: string): CallFrame => ({
  functionName,
  url: "",
  lineNumber: 0,
  columnNumber: 0,
});

test("waiting is no work, equal calls are one, and what is drawn is text", () => {
  const tree = callTree({
    nodes: [
      { id: 1, callFrame: frame("(root)"), children: [2, 3, 4] },
      { id: 2, callFrame: frame("(idle)") },
      { id: 3, callFrame: frame("<f>"), children: [5] },
      { id: 4, callFrame: frame("<f>") },
      { id: 5, callFrame: frame("g") },
    ],
    startTime: 0,
    endTime: 1000,
    samples: [2, 3, 4, 5, 5],
    timeDeltas: [500, 10, 20, 30, -1],
  });
  expect(tree.totalUs).toBe(60);
  expect(
    tree.children.map(({ frame: { functionName }, totalUs }) => [functionName, totalUs]),
  ).toEqual([["<f>", 60]]);
  expect(selfTimes(tree).map(({ selfUs }) => selfUs)).toEqual([30, 30]);
  const svg = flameGraph(tree, "<title>", "a & b");
  expect(svg).toContain("&lt;f&gt;");
  expect(svg).not.toMatch(/<f>|a & b/);
});
