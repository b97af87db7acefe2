import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import type { UpkeepInput } from "./upkeep.ts";
import { doUpkeep } from "./upkeep-work.ts";

export default (task: JobTask<UpkeepInput>): Promise<Outcome<undefined>> =>
  jobOutcome(task, doUpkeep);
