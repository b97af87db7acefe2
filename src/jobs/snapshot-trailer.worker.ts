import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { type TrailerInput, type TrailerStatus, verifyTrailer } from "./snapshot-trailer.ts";

export default (task: JobTask<TrailerInput>): Promise<Outcome<TrailerStatus>> =>
  jobOutcome(task, verifyTrailer);
