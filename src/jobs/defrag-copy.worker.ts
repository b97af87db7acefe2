import type { DefragCopyInput, DefragCopyOutput } from "./defrag-copy.ts";
import { defragCopy } from "./defrag-copy-work.ts";
import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";

export default (task: JobTask<DefragCopyInput>): Promise<Outcome<DefragCopyOutput>> =>
  jobOutcome(task, defragCopy);
