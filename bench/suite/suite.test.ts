import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { askedOf, parseOptions } from "./options.ts";
import { LineProgress } from "./progress.ts";
import { bench, LARGE, made, SMALL, savedResult } from "./testing/made-up.ts";

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
  const [question] = savedResult(file).questions;
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

test("two sides that did not do the same work are no result, but a failure", async () => {
  const other = { value: 1, digest: "another" };
  const ran = await bench("--rounds 1", made({ sides: { strata: [1, 1], bbolt: [1, other] } }));
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/did not do the same work: strata d, bbolt another/);
  expect(ran.stdout).toMatch(/MISSING: failed: /);
});

test("a side that fails is named, the other questions are asked all the same", async () => {
  const sides = { bbolt: [1], strata: [1, 2] };
  const ran = await bench("--rounds 1", made({ sides }), made({ name: "next", sides }));
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/^bench: made\/up, 1,000 keys: bbolt: failed: the figure is NaN$/m);
  expect(ran.stdout).toMatch(/^next .* 2\.00 ops\/s/m);
});

test("what cannot even be set up is a failure, and what was set up is closed after one", async () => {
  let closed = 0;
  const throws = (what: string): never => {
    throw new Error(what);
  };
  const unset = { ...made({ sides: {} }), subjects: () => throws("no server") };
  const late = {
    ...made({ name: "late", sides: {} }),
    subjects: () => ({ entries: [], close: () => void closed++ }),
  };
  const ran = await bench("", unset, late);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/strata: failed: no server/);
  expect(ran.stderr).toMatch(
    /late, 1,000 keys: strata: failed: strata is not among those who are asked/,
  );
  expect(closed).toBe(1);
});

test("what was measured so far is in the file while the next question is asked", async () => {
  const file = join(scratchFolder("suite"), "so-far.json");
  const found: string[][] = [];
  const next = made({ name: "next", sides: { strata: [1] } });
  const looks = {
    ...next,
    subjects: (...args: Parameters<typeof next.subjects>) => {
      found.push(savedResult(file).questions.map(({ name }) => name));
      return next.subjects(...args);
    },
  };
  const first = made({ sides: { strata: [1] } });
  expect(await bench(`--smoke --json ${file}`, first, looks)).toMatchObject({ code: 0 });
  expect(found).toEqual([["made/up"]]);
  expect(savedResult(file).questions).toHaveLength(2);
});

test("a smoke run asks once, at the size for it, and judges no goal", async () => {
  const file = join(scratchFolder("suite"), "smoke.json");
  const goal = { kind: "value", atLeast: 5 } as const;
  const ran = await bench(`--smoke --json ${file}`, made({ sides: { strata: [7] }, goal }));
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toMatch(/^made\/up +10 keys +7\.00 ops\/s$/m);
  expect(ran.stdout).not.toMatch(/Goals/);
  expect(savedResult(file)).toMatchObject({
    smoke: true,
    questions: [{ sizes: [{ size: SMALL }] }],
  });
});

test("less is better where the question says so, and goals of figures are judged", async () => {
  const sides = { strata: [9, 20], etcd: [9, 30] };
  const goal = { kind: "value", atMost: 10 } as const;
  const ran = await bench("--rounds 1", made({ better: "less", sides, goal }));
  expect(ran.stdout).toMatch(/20\.0 ops\/s +etcd +30\.0 ops\/s +1\.50 +≤ 10\.0 ops\/s +missed$/m);
  expect(ran.stdout).toMatch(/Goals: 0 of 1 met\nmissed: made\/up/);
});

test("all sizes, or those whose labels match", async () => {
  const question = made({ sides: { strata: [1, 2] } });
  const labels = (args: readonly string[]): string[] => {
    const options = parseOptions(args, () => undefined);
    if (options === undefined) throw new Error("no options");
    return askedOf([question], options).flatMap(({ sizes }) => sizes.map(({ label }) => label));
  };
  expect(labels([])).toEqual([LARGE.label]);
  expect(labels(["--sizes", "all"])).toEqual([SMALL.label, LARGE.label]);
  expect(labels(["--sizes", "^10 "])).toEqual([SMALL.label]);
  const all = await bench("--sizes all --rounds 1", question);
  expect(all.stdout).toMatch(/^made\/up +10 keys .*\n +1,000 keys /m);
});

test("questions are listed without being asked", async () => {
  const ran = await bench("--list", made({ sides: {} }));
  expect(ran).toEqual({
    code: 0,
    stdout: "made/up [ops/s]: what is made up\n    1,000 keys\n",
    stderr: "",
  });
});

test.each([
  ["--only (", /^bench: --only: Invalid regular expression/],
  ["--only nothing", /^bench: --only: no question matches \/nothing\/$/],
  ["--sizes nothing", /^bench: --sizes: no size matches \/nothing\/$/],
  ["--smoke --sizes all", /^bench: --smoke has sizes of its own: no --sizes$/],
  ["--rounds 0", /^bench: --rounds is a whole number from 1 to 1000, not "0"$/],
  ["--margin much", /^bench: --margin is a number of percent from 0 on, not "much"$/],
  ["--json /nowhere/x.json", /^bench: --json: ENOENT/],
  ["--from x.json --rounds 3", /^bench: --from measures nothing: no --rounds$/],
  ["--unknown", /^bench: unknown option '--unknown'$/],
  ["argument", /^bench: too many arguments/],
])("%s is refused in one line", async (args, said) => {
  const ran = await bench(args, made({ sides: { strata: [1] } }));
  expect(ran.code).toBe(2);
  expect(ran.stderr.split("\n")).toHaveLength(2);
  expect(ran.stderr.trimEnd()).toMatch(said);
});

test("progress: a line for each question, with what is left; on a terminal one that changes", () => {
  const lines = (isTTY: boolean): string => {
    let [nowMs, text] = [0, ""];
    const output = { isTTY, columns: 60, write: (more: string) => (text += more) };
    const progress = new LineProgress(output, () => nowMs);
    progress.asking("first", "10 keys", 1, 4);
    nowMs = 30_000;
    progress.within("strata 1/5");
    progress.asking("second", "10 keys", 2, 4);
    progress.end();
    return text;
  };
  expect(lines(false)).toBe(
    "1 of 4, 0 s: first, 10 keys\n2 of 4, 30 s, about 1 min 30 s left: second, 10 keys\n",
  );
  expect(lines(true)).toContain("1 of 4, 0 s: first, 10 keys: strata 1/5");
});

test("a report is drawn where it is asked for, from a saved result too", async () => {
  const file = join(scratchFolder("suite"), "a.json");
  const question = made({ sides: { strata: [1, 2] } });
  const ran = await bench(`--rounds 1 --json ${file} --report`, question);
  expect(ran.stdout).toMatch(/^written: bench-report\/made\/up$/m);
  const again = await bench(`--from ${file} --report there`);
  expect(again.stdout).toMatch(/^written: there\/made\/up$/m);
});
