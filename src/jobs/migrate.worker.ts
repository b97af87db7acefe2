import { jobOutcome } from "./job-worker.ts";
import type { MigrateInput, MigrateReport } from "./migrate.ts";
import { migrate } from "./migrate-work.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";

export default (task: JobTask<MigrateInput>): Promise<Outcome<MigrateReport>> =>
  jobOutcome(task, migrate);
