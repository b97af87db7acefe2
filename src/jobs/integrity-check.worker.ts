import type { CheckInput, CheckOutput } from "./integrity-check.ts";
import { check } from "./integrity-check-work.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";

export default ({ input, cells }: JobTask<CheckInput>): Promise<Outcome<CheckOutput>> =>
  outcomeOf(() => check(input, new ProgressWriter(cells)));
