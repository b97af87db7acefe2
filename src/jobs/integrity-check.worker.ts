import type { CheckInput, CheckOutput } from "./integrity-check.ts";
import { check } from "./integrity-check-work.ts";
import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";

export default (task: JobTask<CheckInput>): Promise<Outcome<CheckOutput>> =>
  jobOutcome(task, check);
