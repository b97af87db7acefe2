import type { HashKvFileInput, HashKvFileOutput } from "./hash-kv-file.ts";
import { hashKvFile } from "./hash-kv-file-work.ts";
import { jobOutcome } from "./job-worker.ts";
import type { Outcome } from "./outcome.ts";
import type { JobTask } from "./pool.ts";

export default (task: JobTask<HashKvFileInput>): Promise<Outcome<HashKvFileOutput>> =>
  jobOutcome(task, hashKvFile);
