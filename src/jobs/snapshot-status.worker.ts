import { type Outcome, outcomeOf } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";
import { readStatus, type StatusInput, type StatusOutput } from "./snapshot-status.ts";

export default ({ input, cells }: JobTask<StatusInput>): Promise<Outcome<StatusOutput>> =>
  outcomeOf(() => readStatus(input, new ProgressWriter(cells)));
