/** From the start of a process to its first answer; what a key costs in memory. */
import { join } from "node:path";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { peer } from "../../../test/support/peers.ts";
import { copyDataDir, madeDataDir, START_VALUE_BYTES } from "../../store/data-dir.ts";
import { type StartFigure, startEtcd, startStrata } from "../../store/start.ts";
import { keyOf } from "../../store/workload.ts";
import { type Answer, type AskContext, OURS, type Size, type SuiteQuestion } from "../question.ts";
import { inMebibytes, ON_DISK, Once, programOf, ROUNDS, settle, sizeOf } from "./support.ts";

const KEYS: readonly number[] = [10_000, 100_000, 1_000_000];
const SMOKE_KEYS = 1000;
/** Of the value, as hex digits. */
const DIGEST_DIGITS = 32;

const dataDirs = new Once<string>();

/** Never to be opened. */
export function loadedDataDir(keys: number, context: AskContext): Promise<string> {
  return dataDirs.get(`${keys}`, async () => {
    context.progress(`making a data dir of ${keys} keys`);
    const made = madeDataDir(keys, false, scratchFolder("bench-keys"));
    await settle(context);
    return made;
  });
}

interface Starts {
  readonly strata: (round: number) => Promise<StartFigure>;
  readonly etcd: (round: number) => Promise<StartFigure>;
}

/** Several questions have their figures of the same starts. */
const starts = new Once<StartFigure>();
const copies = new Once<Starts>();

async function startsOf({ keys, label }: Size, context: AskContext): Promise<Starts> {
  return copies.get(label, async () => {
    const made = await loadedDataDir(keys, context);
    const folder = scratchFolder("bench-start");
    const [ours, theirs] = [join(folder, "ours"), join(folder, "theirs")];
    const key = keyOf(Math.floor(keys / 2));
    const program = programOf("store/start-side");
    const strata = (): Promise<StartFigure> => startStrata(ours, key, program);
    const etcd = (): Promise<StartFigure> => startEtcd(theirs, key);
    const sides = peer("etcd").found ? [ours, theirs] : [ours];
    for (const dir of sides) copyDataDir(made, dir);
    await settle(context);
    return {
      strata: (round) => starts.get(`${label} strata ${round}`, strata),
      etcd: (round) => starts.get(`${label} etcd ${round}`, etcd),
    };
  });
}

function question(
  of: Pick<SuiteQuestion, "name" | "about" | "unit" | "goal">,
  value: (figure: StartFigure, keys: number) => number,
): SuiteQuestion {
  return {
    ...of,
    group: "store in a process",
    better: "less",
    durability: ON_DISK,
    rounds: ROUNDS,
    sizes: KEYS.map((keys) => sizeOf(keys, START_VALUE_BYTES)),
    smokeSize: sizeOf(SMOKE_KEYS, START_VALUE_BYTES),
    subjects: async (size, context) => {
      const { strata, etcd } = await startsOf(size, context);
      const answer = (figure: StartFigure): Answer => ({
        value: value(figure, size.keys),
        digest: figure.value.slice(0, DIGEST_DIGITS),
        beside: {
          s: figure.seconds,
          "peak MiB": inMebibytes(figure.peakRssBytes),
          "MiB then": inMebibytes(figure.rssBytes),
          ...(figure.side && { "key index, bytes a key": figure.side.indexBytes / size.keys }),
        },
      });
      const found = peer("etcd");
      return {
        entries: [
          { name: OURS, run: async (round) => answer(await strata(round)) },
          {
            name: "etcd",
            ...(!found.found && { missing: found.why }),
            run: async (round) => answer(await etcd(round)),
          },
        ],
      };
    },
  };
}

export const STORE_START: readonly SuiteQuestion[] = [
  question(
    {
      name: "store/start",
      about:
        "from the start of a process to its first answer on a data dir that is there: strata in Node, etcd as a server; " +
        "the value it answers with is compared",
      unit: "s",
      goal: { kind: "value", atMost: 3 },
    },
    ({ seconds }) => seconds,
  ),
  question(
    {
      name: "store/start/memory",
      about: "the most memory that such a process had until its first answer",
      unit: "MiB",
      goal: { kind: "value", atMost: 650 },
    },
    ({ peakRssBytes }) => inMebibytes(peakRssBytes),
  ),
  question(
    {
      name: "store/memory-per-key",
      about: "resident memory of such a process at its first answer, for each key",
      unit: "bytes a key",
    },
    ({ rssBytes }, keys) => rssBytes / keys,
  ),
];
