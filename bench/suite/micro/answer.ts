/** One subject of one small piece of work, under tinybench. */
import { Bench } from "tinybench";
import type { Answer, Size } from "../question.ts";
import type { MicroCase } from "./micro-case.ts";

export interface MicroAsk {
  readonly name: string;
  readonly subject: string;
  readonly size: Size;
  /** Calls are made for so long, one at least; and before that, uncounted, for half of it. */
  readonly timeMs: number;
}

export async function answerMicro(
  cases: readonly MicroCase[],
  { name, subject, size, timeMs }: MicroAsk,
): Promise<Answer> {
  const work = cases.find((each) => each.name === name)?.subjects[subject]?.(size);
  if (work === undefined) throw new Error(`there is no ${name} of ${subject}`);
  const digest = String(work.run());
  const bench = new Bench({
    time: timeMs,
    iterations: 1,
    warmupTime: timeMs / 2,
    warmupIterations: 1,
    throws: true,
  });
  bench.add(name, () => {
    work.run();
  });
  const [task] = await bench.run();
  if (task?.result.state !== "completed") throw new Error(`${name} ended ${task?.result.state}`);
  return { value: work.figure(task.result.latency.p50 / 1000), digest };
}
