import type { HashInput } from "./hash.ts";
import { hashPinned } from "./hash-work.ts";
import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";

export default (task: JobTask<HashInput>): Promise<Outcome<number>> => jobOutcome(task, hashPinned);
