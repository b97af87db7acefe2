/** A job's end of the thread: its function, with plain data in and out. */
import { setPriority } from "node:os";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";

/** Of 0 to 19: such a thread gets a thirtieth of a core that a normal one wants for itself. */
const NICE = 15;

export function jobOutcome<Input, Output>(
  { input, cells, niced }: JobTask<Input>,
  work: (input: Input, progress: ProgressWriter) => Output | Promise<Output>,
): Promise<Outcome<Output>> {
  if (niced !== false) standBack(niced === true ? NICE : niced);
  return outcomeOf(() => work(input, new ProgressWriter(cells)));
}

/** On Linux 0 is the calling thread, and each thread has a priority of its own. Elsewhere it would be the process. */
export function standBack(nice: number = NICE): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(0, nice);
  } catch {
    // Somebody forbids it; the work is done all the same.
  }
}
