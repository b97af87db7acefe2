/** Point gets in the process, of few keys and of all, beside other stores. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import type { Measured } from "../../../test/support/judge.ts";
import { askSide, type Entry } from "../../store/alternate.ts";
import { type GetQuestion, getEntries, loadAll } from "../../store/gets.ts";
import type { Answer, AskContext, Goal, Size, Subjects, SuiteQuestion } from "../question.ts";
import { inMebibytes, Once, programOf, ROUNDS, settle, sizeOf } from "./support.ts";

const VALUE_BYTES = 256;
const HOT_KEYS = 1000;
const GETS = 200_000;
const SMOKE_GETS = 500;
const SMOKE_KEYS = 1000;

/** The stores' files, loaded; read alone from then on. */
const loaded = new Once<string>();

async function subjects(hot: number, { keys }: Size, context: AskContext): Promise<Subjects> {
  const plan = { keys, hot: Math.min(hot, keys), gets: context.smoke ? SMOKE_GETS : GETS };
  const ask = askSide<GetQuestion, Measured>(programOf("store/gets"));
  const files = await loaded.get(`${keys}`, async () => {
    const folder = join(scratchFolder("bench-gets"), `${keys}`);
    mkdirSync(folder);
    await loadAll(plan, folder, ask, /./, context.progress);
    await settle(context);
    return folder;
  });
  return { entries: getEntries(plan, files, ask).map(answering) };
}

function answering({ run, ...entry }: Entry<Measured>): Entry<Answer> {
  return { ...entry, run: async (round) => answerOf(await run(round)) };
}

function answerOf({ ops, seconds, digest, cpuSeconds, peakRssBytes }: Measured): Answer {
  return {
    value: ops / seconds,
    digest,
    beside: {
      "CPU µs a get": (cpuSeconds / ops) * 1e6,
      "peak MiB": inMebibytes(peakRssBytes),
    },
  };
}

function question(name: string, about: string, hot: number, goal?: Goal): SuiteQuestion {
  return {
    name: `store/gets/${name}`,
    group: "store in a process",
    about: `${about}, after as many that are not timed; the values are looked at, and compared by a digest`,
    unit: "gets/s",
    better: "more",
    durability: "",
    ...(goal !== undefined && { goal }),
    rounds: ROUNDS,
    warmsUpItself: true,
    sizes: [10_000, 100_000, 1_000_000].map((keys) => sizeOf(keys, VALUE_BYTES)),
    smokeSize: sizeOf(SMOKE_KEYS, VALUE_BYTES),
    subjects: (size, context) => subjects(hot, size, context),
  };
}

export const STORE_GETS: readonly SuiteQuestion[] = [
  question("warm", "random gets of 1,000 of the keys, one after another", HOT_KEYS, {
    kind: "value",
    atLeast: 500_000,
  }),
  question("all", "random gets of all of the keys, one after another", Number.POSITIVE_INFINITY),
];
