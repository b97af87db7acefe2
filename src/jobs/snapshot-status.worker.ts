import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import type { StatusInput, StatusOutput } from "./snapshot-status.ts";
import { readStatus } from "./snapshot-status-work.ts";

export default (task: JobTask<StatusInput>): Promise<Outcome<StatusOutput>> =>
  jobOutcome(task, readStatus);
