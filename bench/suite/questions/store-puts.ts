/** Durable puts of callers in the process, beside other stores and beside the disk alone. */
import { askSide, type Entry } from "../../store/alternate.ts";
import {
  CALLERS,
  LIMIT,
  type PutFigure,
  type PutQuestion,
  putEntries,
  putsOf,
} from "../../store/put-side.ts";
import {
  type Answer,
  type AskContext,
  type Goal,
  OURS,
  type Size,
  type Subjects,
  type SuiteQuestion,
} from "../question.ts";
import { inMebibytes, ON_DISK, programOf, ROUNDS, sizeOf } from "./support.ts";

const VALUE_BYTES = 256;
const SMOKE_PUTS = 20;
const SETTLE_MS = 1000;

const GOALS: Readonly<Record<number, Goal>> = {
  1: { kind: "ratio", peer: LIMIT, atLeast: 0.9 },
  1000: { kind: "value", atLeast: 100_000 },
};

/** The last ones are few: each is 64 KiB that is written twice or more. */
const BY_VALUE: readonly Size[] = [
  sizeOf(20_000, 64, "puts"),
  sizeOf(20_000, 1024, "puts"),
  sizeOf(2000, 64 * 1024, "puts"),
];
const BY_VALUE_CALLERS = 100;

const ABOUT =
  "beside, other stores of a process, each as durable, and where there is one caller, the disk's own fdatasync; " +
  "what is there afterwards is compared";

function subjects(callers: number, { keys, valueBytes }: Size, context: AskContext): Subjects {
  const { folder, smoke } = context;
  const plan = { callers, puts: keys, valueBytes, settleMs: smoke ? 0 : SETTLE_MS };
  const ask = askSide<PutQuestion, PutFigure>(programOf("store/put-side"));
  const entries = putEntries(plan, folder, ask).map(answering);
  const isOurs = ({ name }: Entry<Answer>): boolean => name === OURS;
  return { entries: [...entries.filter(isOurs), ...entries.filter((one) => !isOurs(one))] };
}

function answering({ run, ...entry }: Entry<PutFigure>): Entry<Answer> {
  return { ...entry, run: async (round) => answerOf(await run(round)) };
}

function answerOf(figure: PutFigure): Answer {
  const { ops, seconds, digest, p50Us, p99Us, cpuSeconds, peakRssBytes } = figure;
  return {
    value: ops / seconds,
    // The disk alone has nothing to compare.
    ...(digest !== "" && { digest }),
    beside: {
      "p50 µs": p50Us,
      "p99 µs": p99Us,
      "CPU µs a put": (cpuSeconds / ops) * 1e6,
      "peak MiB": inMebibytes(peakRssBytes),
    },
  };
}

function byCallers(callers: number): SuiteQuestion {
  const goal = GOALS[callers];
  const who = callers === 1 ? "one caller" : `${callers} callers, each of whom`;
  return {
    name: `store/puts/${callers}`,
    group: "store in a process",
    about: `durable puts of ${who}${callers === 1 ? ", who" : ""} waits for the last one; ${ABOUT}`,
    unit: "puts/s",
    better: "more",
    durability: ON_DISK,
    ...(goal !== undefined && { goal }),
    rounds: ROUNDS,
    warmsUpItself: true,
    sizes: [sizeOf(putsOf(callers, 1), VALUE_BYTES, "puts")],
    smokeSize: sizeOf(Math.max(SMOKE_PUTS, callers), VALUE_BYTES, "puts"),
    subjects: (size, context) => subjects(callers, size, context),
  };
}

const byValue: SuiteQuestion = {
  name: "store/puts/by-value",
  group: "store in a process",
  about: `durable puts of ${BY_VALUE_CALLERS} callers, by the size of the value; ${ABOUT}`,
  unit: "puts/s",
  better: "more",
  durability: ON_DISK,
  rounds: ROUNDS,
  warmsUpItself: true,
  sizes: BY_VALUE,
  smokeSize: sizeOf(BY_VALUE_CALLERS, 1024, "puts"),
  subjects: (size, context) => subjects(BY_VALUE_CALLERS, size, context),
};

export const STORE_PUTS: readonly SuiteQuestion[] = [...CALLERS.map(byCallers), byValue];
