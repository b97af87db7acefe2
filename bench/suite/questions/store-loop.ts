/** How late is the event loop of who has the store in the process, while it puts and works? */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { copyDataDir, START_VALUE_BYTES } from "../../store/data-dir.ts";
import type { LoopFigure } from "../../store/loop.ts";
import type { LoopOrder } from "../../store/loop-side.ts";
import { type AskContext, OURS, type Size, type SuiteQuestion } from "../question.ts";
import { answerOfProgram } from "./process.ts";
import { loadedDataDir } from "./store-start.ts";
import { ON_DISK, Once, programOf, ROUNDS, settle, sizeOf } from "./support.ts";

const PUTS_PER_SECOND = 10_000;
const SECONDS = 4;
const WARM_UP_SECONDS = 1;
const SMOKE = { rate: 1000, seconds: 0.2, warmUpSeconds: 0.05 };

/** By their names in `loop.ts`. */
const WORKS = {
  nothing: "nothing",
  compaction: "a compaction of all that is old",
  hashKv: "hashKv",
  snapshot: "a snapshot, taken and thrown away",
} as const;

/** All works of a round, one after another in one process. */
const runs = new Once<readonly LoopFigure[]>();

async function loopOf(
  size: Size,
  round: number,
  context: AskContext,
): Promise<readonly LoopFigure[]> {
  const { keys, label } = size;
  const made = await loadedDataDir(keys, context);
  return runs.get(`${label} ${round}`, async () => {
    const dir = join(scratchFolder("bench-loop"), "data");
    copyDataDir(made, dir);
    await settle(context);
    const full = { rate: PUTS_PER_SECOND, seconds: SECONDS, warmUpSeconds: WARM_UP_SECONDS };
    const order: LoopOrder = { dir, keys, ...(context.smoke ? SMOKE : full) };
    try {
      const program = programOf("store/loop-side");
      return await answerOfProgram<LoopFigure[]>(program, JSON.stringify(order));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

function question(
  work: keyof typeof WORKS,
  figure: "p99" | "worst",
  atMost: number,
): SuiteQuestion {
  const beside = WORKS[work];
  return {
    name: `store/loop/${work.toLowerCase()}/${figure}`,
    group: "store in a process",
    about:
      `delay of the event loop by Node's own monitor with ${PUTS_PER_SECOND.toLocaleString("en")} puts a second, ` +
      `and beside them ${beside}: ${figure === "p99" ? "its 99th percentile" : "the worst"}`,
    unit: "ms",
    better: "less",
    durability: ON_DISK,
    goal: { kind: "value", atMost },
    rounds: ROUNDS,
    warmsUpItself: true,
    sizes: [10_000, 100_000, 1_000_000].map((keys) => sizeOf(keys, START_VALUE_BYTES)),
    smokeSize: sizeOf(1000, START_VALUE_BYTES),
    subjects: (size, context) => ({
      entries: [
        {
          name: OURS,
          run: async (round) => {
            const all = await loopOf(size, round, context);
            const found = all.find((one) => one.beside === work);
            if (found === undefined) throw new Error(`nothing was measured beside ${work}`);
            const { loopDelay, putFromCall, besideMs, longestGcMs } = found;
            return {
              value: figure === "p99" ? loopDelay.p99 : loopDelay.max,
              beside: {
                "p50 ms": loopDelay.p50,
                "p99 ms": loopDelay.p99,
                "worst ms": loopDelay.max,
                "put p99 ms": putFromCall.p99,
                "put worst ms": putFromCall.max,
                "longest collection ms": longestGcMs,
                "the work ms": besideMs,
              },
            };
          },
        },
      ],
    }),
  };
}

const GOAL_P99_MS = 5;
const GOAL_WORST_MS = 25;

export const STORE_LOOP: readonly SuiteQuestion[] = (
  Object.keys(WORKS) as (keyof typeof WORKS)[]
).flatMap((work) => [question(work, "p99", GOAL_P99_MS), question(work, "worst", GOAL_WORST_MS)]);
