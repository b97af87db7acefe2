import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { spread } from "../support/report.ts";
import type { QuestionResult, SuiteResult } from "./result.ts";
import { bench, LARGE, MACHINE } from "./testing/made-up.ts";

const folder = scratchFolder("compare");
let files = 0;

interface Sides {
  readonly strata: readonly number[];
  readonly [peer: string]: readonly number[];
}

function result(sides: Sides, changes: Partial<QuestionResult & SuiteResult> = {}): string {
  const { better = "more", machine = MACHINE } = changes;
  const times = (theirs: readonly number[]): number[] =>
    sides.strata.map((mine, i) =>
      better === "more" ? mine / (theirs[i] ?? 0) : (theirs[i] ?? 0) / mine,
    );
  const peers = Object.entries(sides).filter(([name]) => name !== "strata");
  const made: SuiteResult = {
    version: 1,
    at: "2026-01-01T00:00:00.000Z",
    smoke: false,
    strata: "0.1.0",
    machine,
    peers: {},
    questions: [
      {
        name: "made/up",
        group: "server",
        about: "what is made up",
        unit: changes.unit ?? "ops/s",
        better,
        durability: "",
        sizes: [
          {
            size: LARGE,
            sides: Object.entries(sides).map(([name, values]) => ({
              name,
              values,
              spread: spread(values),
              beside: {},
            })),
            ratios: Object.fromEntries(
              peers.map(([name, values]) => [name, spread(times(values))]),
            ),
          },
        ],
      },
    ],
  };
  const path = join(folder, `${files++}.json`);
  writeFileSync(path, JSON.stringify(made));
  return path;
}

function textOf(path: string): string {
  return readFileSync(path, "utf8");
}

const compare = (before: string, after: string, more = "") =>
  bench(`--from ${after} --compare ${before} ${more}`);

const slower = (values: readonly number[], times: number): number[] =>
  values.map((value) => value / times);

const STRATA = [95, 100, 105];
const PEER = [48, 50, 52];

test("what was slowed down is a regression, and the exit code says so", async () => {
  const ran = await compare(
    result({ strata: STRATA, etcd: PEER }),
    result({ strata: slower(STRATA, 1.5), etcd: PEER }),
  );
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(
    /^REGRESSION: made\/up, 1,000 keys: 100 \(95\.0–105\) → 66\.7 \(63\.3–70\.0\) ops\/s, 1\.50 × worse, to etcd 2\.00 → 1\.33$/m,
  );
  expect(ran.stdout).toMatch(/There is a regression\.\n$/);
});

test("the same again is none, nor is what has become better", async () => {
  const before = result({ strata: STRATA, etcd: PEER });
  const same = await compare(before, before);
  expect(same.code).toBe(0);
  expect(same.stdout).toMatch(/^1 of 1 about the same\nNo regression\.$/m);
  const better = await compare(before, result({ strata: slower(STRATA, 0.5), etcd: PEER }));
  expect(better.code).toBe(0);
  expect(better.stdout).toMatch(/^better: made\/up, .* 2\.00 × better, to etcd 2\.00 → 4\.00$/m);
});

test("below the margin nothing is a regression, and the margin can be told", async () => {
  const before = result({ strata: STRATA, etcd: PEER });
  const after = result({ strata: slower(STRATA, 1.2), etcd: PEER });
  expect((await compare(before, after)).code).toBe(0);
  expect((await compare(before, after, "--margin 15")).code).toBe(1);
  expect((await compare(before, after, "--margin 15%")).code).toBe(1);
});

test("ranges that overlap are doubt", async () => {
  const ran = await compare(
    result({ strata: [60, 100, 105] }),
    result({ strata: slower([60, 100, 105], 1.5) }),
  );
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/^worse, but not beyond doubt: made\/up/m);
});

test("a machine that was busy slows down the peers too: no regression; most peers decide", async () => {
  const before = result({ strata: STRATA, etcd: PEER, bbolt: PEER, lmdb: PEER });
  const of = (...times: readonly [number, number, number]): string => {
    const [etcd, bbolt, lmdb] = times.map((one) => slower(PEER, one)) as [
      number[],
      number[],
      number[],
    ];
    return result({ strata: slower(STRATA, 1.5), etcd, bbolt, lmdb });
  };
  expect((await compare(before, of(1.5, 1.5, 1.4))).code).toBe(0);
  expect((await compare(before, of(1.5, 1, 1))).code).toBe(1);
});

test("less is worse where more is better, and the other way round", async () => {
  const times = { better: "less", unit: "ms" } as const;
  const before = result({ strata: STRATA }, times);
  expect((await compare(before, result({ strata: slower(STRATA, 1.5) }, times))).code).toBe(0);
  expect((await compare(before, result({ strata: slower(STRATA, 0.5) }, times))).code).toBe(1);
});

test("on another machine only ratios count, and it is said", async () => {
  const machine = { ...MACHINE, cpu: "a slide rule" };
  const before = result({ strata: STRATA, etcd: PEER });
  const slow = await compare(
    before,
    result({ strata: slower(STRATA, 4), etcd: slower(PEER, 4) }, { machine }),
  );
  expect(slow.code).toBe(0);
  expect(slow.stdout).toMatch(
    /^Another machine \(an abacus then, a slide rule now\): only the ratios/m,
  );
  const worse = result({ strata: slower(STRATA, 4), etcd: PEER }, { machine });
  expect((await compare(before, worse)).code).toBe(1);
  const alone = result({ strata: slower(STRATA, 4) }, { machine });
  expect((await compare(before, alone)).code).toBe(0);
});

test("a question without an answer any more is a regression", async () => {
  const before = result({ strata: STRATA });
  const after = join(folder, "lost.json");
  const text = JSON.stringify(JSON.parse(textOf(before)), (key, value: unknown) =>
    key === "sides" ? [{ name: "strata", missing: "failed: it broke" }] : value,
  );
  writeFileSync(after, text);
  const ran = await compare(before, after);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(
    /no answer any more: made\/up, 1,000 keys \[ops\/s\]: failed: it broke/,
  );
});

test("results that have nothing in common cannot be compared", async () => {
  const ran = await compare(result({ strata: STRATA }), result({ strata: STRATA }, { unit: "ms" }));
  expect(ran.code).toBe(2);
  expect(ran.stderr).toBe(
    "bench: --compare: the two results have no question and size in common\n",
  );
});

test.each<[what: string, of: RegExp, to: string, said: RegExp]>([
  ["no JSON", /^\{/, "", /x\.json is not JSON: /],
  ["another version", /"version":1/, '"version":2', /version must be 1, is 2$/],
  ["a field less", /"cpu":"an abacus",/, "", /machine\.cpu must be a string, is missing$/],
  [
    "a group of its own",
    /"group":"server"/,
    '"group":"x"',
    /questions\[0\]\.group must be "in memory" or /,
  ],
  [
    "a string for a number",
    /"median":100/,
    '"median":"1"',
    /sides\[0\]\.spread\.median must be a number, is "1"$/,
  ],
  [
    "no rounds",
    /"values":\[[^\]]*\]/,
    '"values":[]',
    /sides\[0\]\.values must be a list of one number or more, is \[\]$/,
  ],
  [
    "a peer first",
    /"name":"strata"/,
    '"name":"etcd"',
    /sizes\[0\]\.sides must be a list that begins with strata/,
  ],
  ["no list", /"questions":\[/, '"questions":3,"x":[', /questions must be a list, is 3$/],
])("a file with %s is refused in one line that names the field", async (_, of, to, said) => {
  const path = join(folder, "x.json");
  writeFileSync(path, textOf(result({ strata: STRATA })).replace(of, to));
  const ran = await compare(path, result({ strata: STRATA }));
  expect(ran.code).toBe(2);
  expect(ran.stderr.trimEnd()).toMatch(said);
  expect(ran.stderr).toMatch(/^bench: .*x\.json/);
  expect(ran.stderr.split("\n")).toHaveLength(2);
});
