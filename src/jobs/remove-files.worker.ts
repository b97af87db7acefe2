import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import type { RemoveInput } from "./remove-files.ts";
import { removeFiles } from "./remove-files-work.ts";

export default (task: JobTask<RemoveInput>): Promise<Outcome<number>> =>
  jobOutcome(task, removeFiles);
