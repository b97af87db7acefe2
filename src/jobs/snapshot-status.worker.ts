import { type Outcome, outcomeOf } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";
import type { StatusInput, StatusOutput } from "./snapshot-status.ts";
import { readStatus } from "./snapshot-status-work.ts";

export default ({ input, cells }: JobTask<StatusInput>): Promise<Outcome<StatusOutput>> =>
  outcomeOf(() => readStatus(input, new ProgressWriter(cells)));
