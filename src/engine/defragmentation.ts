/** Defragmentation of a running member: see Backend.defragment; here are the lines and figures about it. */
import type { Directory } from "../../native-free/file.ts";
import type { Backend } from "../backend/backend.ts";
import type { Progress } from "../jobs/progress.ts";
import type { DefragCounts } from "./defrag-counts.ts";
import type { Job } from "./jobs.ts";
import type { EngineLog } from "./log.ts";
import { DATABASE_NAME } from "./recovery.ts";

export interface DefragOptions {
  /** Why, for the log and for whoever looks at the jobs; empty: somebody asked for it. */
  readonly about?: string;
  /** Also where nothing would be gained. Default: no. */
  readonly force?: boolean;
  /** Of the copying, at most. Default: as fast as it goes. */
  readonly rateBytesPerSecond?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface DefragReport {
  /** `refused`: nothing was done, as `reason` says; the sizes are the same. */
  readonly outcome: "done" | "refused";
  readonly reason: string | undefined;
  readonly sizeBeforeBytes: number;
  readonly sizeAfterBytes: number;
  readonly tookMs: number;
  /** For which nothing was committed; puts and gets went on. */
  readonly longestPauseMs: number;
}

export interface DefragmentationParts {
  readonly backend: Backend;
  readonly log: EngineLog;
  readonly snapFolder: Directory;
}

/** @throws (rejects) as Backend.defragment */
export async function defragment(
  { backend, log, snapFolder }: DefragmentationParts,
  counts: DefragCounts,
  _options: DefragOptions,
  _job: Job,
): Promise<DefragReport> {
  const sizeBeforeBytes = backend.space.sizeBytes;
  const startMs = performance.now();
  log({ level: "info", message: "defragmenting", fields: { sizeBytes: sizeBeforeBytes } });
  await backend.defragment(() => snapFolder.openFile(DATABASE_NAME, "read"));
  const tookMs = Math.round(performance.now() - startMs);
  counts.seconds.observe(tookMs / 1000);
  const sizeAfterBytes = backend.space.sizeBytes;
  const fields = { beforeBytes: sizeBeforeBytes, sizeBytes: sizeAfterBytes, tookMs };
  log({ level: "info", message: "finished defragmenting", fields });
  return {
    outcome: "done",
    reason: undefined,
    sizeBeforeBytes,
    sizeAfterBytes,
    tookMs,
    longestPauseMs: tookMs,
  };
}
