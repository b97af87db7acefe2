import type { PinnedCheck } from "./check-pinned.ts";
import { checkPinned } from "./check-pinned-work.ts";
import type { PinnedFile } from "./hash.ts";
import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";

export default (task: JobTask<PinnedFile>): Promise<Outcome<PinnedCheck>> =>
  jobOutcome(task, checkPinned);
