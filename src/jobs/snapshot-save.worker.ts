import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import type { SaveInput } from "./snapshot-save.ts";
import { saveSnapshot } from "./snapshot-save-work.ts";

export default (task: JobTask<SaveInput>): Promise<Outcome<number>> =>
  jobOutcome(task, saveSnapshot);
