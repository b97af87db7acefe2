/** A server that is filled over the wire and started again: how long the first takes, and its memory after both. */
import { VALUE_BYTES } from "../../wire/frames.ts";
import { type MemoryFigure, measureMemory } from "../../wire/memory.ts";
import { ETCD, type ServerKind, STRATA } from "../../wire/server-process.ts";
import type { AskContext, Size, SuiteQuestion } from "../question.ts";
import { inMebibytes, ON_DISK, Once, serverEntry, settle, sizeOf } from "./support.ts";

/** What a server gives back by itself, it has by then. */
const SETTLE_MS = 2000;

/** All three questions have their figures of the same filling. */
const fillings = new Once<MemoryFigure>();

function fillingOf(
  kind: ServerKind,
  { keys, label }: Size,
  round: number,
  context: AskContext,
): Promise<MemoryFigure> {
  return fillings.get(`${label} ${kind.name} ${round}`, async () => {
    await settle(context);
    return await measureMemory(kind, context.folder, keys, context.smoke ? 0 : SETTLE_MS);
  });
}

function question(
  of: Pick<SuiteQuestion, "name" | "about" | "unit" | "better">,
  value: (figure: MemoryFigure, keys: number) => number,
): SuiteQuestion {
  return {
    ...of,
    group: "server",
    durability: ON_DISK,
    rounds: 2,
    warmsUpItself: true,
    sizes: [10_000, 100_000, 1_000_000].map((keys) => sizeOf(keys, VALUE_BYTES)),
    smokeSize: sizeOf(1000, VALUE_BYTES),
    subjects: (size, context) => ({
      entries: [STRATA, ETCD].map((kind) =>
        serverEntry(kind, async (round) => {
          const figure = await fillingOf(kind, size, round, context);
          return {
            value: value(figure, size.keys),
            beside: {
              "filling s": figure.fillSeconds,
              "filled MiB": inMebibytes(figure.filledBytes),
              "its peak MiB": inMebibytes(figure.filledPeakBytes),
              "started MiB": inMebibytes(figure.startedBytes),
              "its peak at start MiB": inMebibytes(figure.startedPeakBytes),
            },
          };
        }),
      ),
    }),
  };
}

const FILLED = "puts of different keys, a hundred a transaction, eight transactions at a time";

export const SERVER_MEMORY: readonly SuiteQuestion[] = [
  question(
    {
      name: "server/fill",
      about: `${FILLED}; the revision is compared`,
      unit: "puts/s",
      better: "more",
    },
    ({ fillSeconds }, keys) => keys / fillSeconds,
  ),
  question(
    {
      name: "server/memory/filled",
      about: `the server's resident memory after ${FILLED}`,
      unit: "MiB",
      better: "less",
    },
    ({ filledBytes }) => inMebibytes(filledBytes),
  ),
  question(
    {
      name: "server/memory/started",
      about: "the server's resident memory after a start on that data dir",
      unit: "MiB",
      better: "less",
    },
    ({ startedBytes }) => inMebibytes(startedBytes),
  ),
];
