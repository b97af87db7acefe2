/** A result of the benchmarks as it might have been measured: every group, and every way in which a figure can be missing. */
import type { Group, Size } from "../../bench/suite/question.ts";
import type { QuestionResult, SizeResult, SuiteResult } from "../../bench/suite/result.ts";
import type { Spread } from "../../bench/support/report.ts";

const NO_COMPILER = "failed: it could not be built: there is no C++ compiler";
const EACH_PUT = "each put is on the disk before it is answered";

function size(keys: number, valueBytes: number): Size {
  const value = valueBytes % 1024 === 0 ? `${valueBytes / 1024} KiB` : `${valueBytes} B`;
  return { label: `${keys.toLocaleString("en")} keys of ${value}`, keys, valueBytes };
}

const LAST: Size = size(1_000_000, 256);

/** Five rounds around it. */
function around(median: number, part = 0.06): { values: number[]; spread: Spread } {
  const values = [1, 1 - part, 1 + part / 2, 1 + part, 1 - part / 2].map((by) => median * by);
  return { values, spread: { median, min: median * (1 - part), max: median * (1 + part) } };
}

/** Medians by subject, strata first; words are why it is missing. */
type Sides = Readonly<Record<string, number | string>>;

function sizeResult(of: Size, better: "more" | "less", sides: Sides): SizeResult {
  const ours = sides.strata;
  const ratios = Object.entries(sides).flatMap(([name, value]): [string, Spread][] => {
    if (name === "strata" || typeof value === "string" || typeof ours !== "number") return [];
    return [[name, around(better === "more" ? ours / value : value / ours, 0.11).spread]];
  });
  return {
    size: of,
    sides: Object.entries(sides).map(([name, value]) =>
      typeof value === "string"
        ? { name, missing: value }
        : { name, ...around(value), beside: { "p99 ms": 1.8, "peak MiB": 183 } },
    ),
    ratios: Object.fromEntries(ratios),
    digest: "3b1f0c9ad6a2d7c4e7b5f0be45a1f1d2a6f0c3b7f6d4f1e08a5f7b2c9d3e4f50",
  };
}

interface Asked extends Pick<QuestionResult, "name" | "unit" | "better" | "durability"> {
  readonly group: Group;
  readonly goal?: QuestionResult["goal"];
  readonly sides?: Sides;
  readonly sizes?: readonly SizeResult[];
}

function question({ sides, sizes, goal, ...rest }: Asked): QuestionResult {
  return {
    ...rest,
    about: `What ${rest.name} takes, with everything but the work itself left out of the clock.`,
    ...(goal !== undefined && { goal }),
    sizes: sizes ?? [sizeResult(LAST, rest.better, sides ?? {})],
  };
}

const RANDOM_PUTS: readonly (readonly [Size, Sides])[] = [
  [size(10_000, 64), { strata: 61_000, bbolt: 70_100 }],
  [size(10_000, 1024), { strata: 48_000, bbolt: 51_000 }],
  [size(10_000, 65_536), { strata: 2_100, bbolt: 1_900 }],
  [size(100_000, 64), { strata: 44_000, bbolt: 52_300 }],
  [size(100_000, 1024), { strata: 31_000, bbolt: 33_000 }],
  [size(1_000_000, 64), { strata: 37_000, bbolt: 42_100 }],
  [size(1_000_000, 300), { strata: 36_800, bbolt: 41_200 }],
];

const START: readonly (readonly [Size, Sides])[] = [
  [size(10_000, 256), { strata: 120, "etcd 3.4.23": 240 }],
  [size(100_000, 256), { strata: 310, "etcd 3.4.23": 800 }],
  [size(1_000_000, 256), { strata: 2_410, "etcd 3.4.23": 5_910 }],
];

const QUESTIONS: readonly QuestionResult[] = [
  question({
    name: "memory/crc32c/300 bytes",
    group: "in memory",
    unit: "MB/s",
    better: "more",
    durability: "",
    goal: { kind: "value", atLeast: 1100 },
    sides: { strata: 2353 },
  }),
  question({
    name: "memory/key index, a key",
    group: "in memory",
    unit: "bytes a key",
    better: "less",
    durability: "",
    goal: { kind: "value", atMost: 150 },
    sides: { strata: 161 },
  }),
  question({
    name: "page-file/bulk load in order, 10,000 puts a transaction",
    group: "page file",
    unit: "puts/s",
    better: "more",
    durability: "each transaction is on the disk before the next",
    goal: { kind: "ratio", peer: "bbolt", atLeast: 2 },
    sides: { strata: 1_553_000, bbolt: 641_000 },
  }),
  question({
    name: "page-file/random puts, 10,000 a transaction",
    group: "page file",
    unit: "puts/s",
    better: "more",
    durability: "each transaction is on the disk before the next",
    goal: { kind: "ratio", peer: "bbolt", atLeast: 1 },
    sizes: RANDOM_PUTS.map(([of, sides]) => sizeResult(of, "more", sides)),
  }),
  question({
    name: "page-file/full scan",
    group: "page file",
    unit: "rows/s",
    better: "more",
    durability: "",
    goal: { kind: "ratio", peer: "bbolt", atLeast: 0.5 },
    sides: { strata: 6_568_000, bbolt: 9_591_000 },
  }),
  question({
    name: "page-file/random gets, warm",
    group: "page file",
    unit: "gets/s",
    better: "more",
    durability: "",
    sides: { strata: 690_000, bbolt: 705_000 },
  }),
  question({
    name: "store/puts/1 caller",
    group: "store in a process",
    unit: "puts/s",
    better: "more",
    durability: EACH_PUT,
    goal: { kind: "ratio", peer: "fdatasync alone", atLeast: 0.9 },
    sides: {
      strata: 4_828,
      "fdatasync alone": 6_698,
      bbolt: 3_230,
      lmdb: 2_468,
      "lmdb, flushed": 2_106,
      "classic-level": 3_603,
      "better-sqlite3": NO_COMPILER,
    },
  }),
  question({
    name: "store/puts/by size of values",
    group: "store in a process",
    unit: "puts/s",
    better: "more",
    durability: EACH_PUT,
    sizes: (
      [
        [64, 110_000, 301_000, 323_000, 8_531, 232_000],
        [1024, 88_000, 190_000, 203_000, 8_100, 160_000],
        [65_536, 5_200, 6_100, 5_900, 1_700, 4_300],
      ] as const
    ).map(([bytes, strata, bbolt, lmdb, level, sqlite]) =>
      sizeResult(size(100_000, bytes), "more", {
        strata,
        bbolt,
        lmdb,
        "classic-level": level,
        "better-sqlite3": sqlite,
      }),
    ),
  }),
  question({
    name: "server/puts/10x10",
    group: "server",
    unit: "puts/s",
    better: "more",
    durability: EACH_PUT,
    goal: { kind: "ratio", peer: "etcd 3.4.23", atLeast: 3 },
    sides: { strata: 75_108, "etcd 3.4.23": 29_606 },
  }),
  question({
    name: "server/gets/10x10",
    group: "server",
    unit: "gets/s",
    better: "more",
    durability: "",
    goal: { kind: "ratio", peer: "etcd 3.4.23", atLeast: 8 },
    sides: { strata: 201_870, "etcd 3.4.23": 16_328 },
  }),
  question({
    name: "server/start",
    group: "server",
    unit: "ms",
    better: "less",
    durability: "",
    goal: { kind: "value", atMost: 3000 },
    sizes: START.map(([of, sides]) => sizeResult(of, "less", sides)),
  }),
  question({
    name: "maintenance/snapshot status",
    group: "maintenance",
    unit: "s",
    better: "less",
    durability: "",
    goal: { kind: "ratio", peer: "etcdutl", atLeast: 2 },
    sides: { strata: 0.55, etcdctl: 1.51, etcdutl: "no etcdutl on PATH" },
  }),
  question({
    name: "commands/etcdctl get",
    group: "commands",
    unit: "ms",
    better: "less",
    durability: "",
    goal: { kind: "ratio", peer: "etcdctl", atLeast: 0.66 },
    sides: { strata: 68, etcdctl: 16 },
  }),
];

export const BENCH_RESULT: SuiteResult = {
  version: 1,
  at: "2026-11-23T00:30:00.000Z",
  smoke: false,
  strata: "0.1.0 (70e79f1)",
  machine: {
    cpu: "AMD EPYC 7B13",
    cores: 2,
    memoryBytes: 24 * 2 ** 30,
    kernel: "6.1.0-18-amd64",
    fileSystem: "ext4",
    node: "v20.20.2",
    go: "1.26.1",
    bbolt: "1.3.6-2",
    fdatasync: { medianUs: 125, p99Us: 410 },
  },
  peers: {
    bbolt: { version: "1.3.6-2 (Go 1.26.1)" },
    "etcd 3.4.23": { version: "3.4.23" },
    etcdctl: { version: "3.4.23" },
    etcdutl: { missing: "no etcdutl on PATH" },
    lmdb: { version: "3.4.2" },
    "classic-level": { version: "3.0.0" },
    "better-sqlite3": { missing: NO_COMPILER },
  },
  questions: QUESTIONS,
};

/** Markup, and what XML cannot write. */
const EVIL = `<img src=x onerror="alert('1')">]]>&\u0000\u{d800}`;

/** One question of three sizes, whose every word is markup. */
export const EVIL_RESULT: SuiteResult = {
  ...BENCH_RESULT,
  strata: EVIL,
  at: EVIL,
  peers: { [EVIL]: { missing: EVIL } },
  questions: BENCH_RESULT.questions
    .filter(({ name }) => name === "server/start")
    .map((start) => ({
      ...start,
      name: EVIL,
      about: EVIL,
      unit: EVIL,
      durability: EVIL,
      sizes: start.sizes.map((each) => ({
        ...each,
        size: { ...each.size, label: EVIL },
        sides: each.sides.map((side) => ({
          ...side,
          name: side.name === "strata" ? side.name : EVIL,
        })),
        ratios: { [EVIL]: { median: 0.5, min: 0.4, max: 0.6 } },
        digest: EVIL,
      })),
    })),
};
