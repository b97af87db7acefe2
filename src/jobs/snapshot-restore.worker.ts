import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import type { RestoreInput, RestoreReport } from "./snapshot-restore.ts";
import { restore } from "./snapshot-restore-work.ts";

export default (task: JobTask<RestoreInput>): Promise<Outcome<RestoreReport>> =>
  jobOutcome(task, restore);
