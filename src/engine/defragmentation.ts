/** Defragmentation of a running member: see backend/online-defrag.ts; here are the lines and figures about it. */
import type { Directory } from "../../native-free/file.ts";
import type { Backend } from "../backend/backend.ts";
import type { CopyPhase } from "../backend/storage.ts";
import { reasonOf } from "../base/errors.ts";
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
  /** Nothing is logged of it: whoever asks for it tells. Default: no. */
  readonly quiet?: boolean;
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
  /** For which nothing was committed, at most; puts and gets went on. */
  readonly longestPauseMs: number;
  /** In which the copy was brought after what was written meanwhile, the last one included. */
  readonly rounds: number;
}

export interface DefragmentationParts {
  readonly backend: Backend;
  readonly log: EngineLog;
  readonly snapFolder: Directory;
}

/** @throws (rejects) as Backend.defragment */
export async function defragment(
  { backend, log: told, snapFolder }: DefragmentationParts,
  counts: DefragCounts,
  options: DefragOptions,
  job: Job,
): Promise<DefragReport> {
  const { about = "", force = false, quiet = false, rateBytesPerSecond } = options;
  const log: EngineLog = quiet ? (): void => undefined : told;
  const sizeBeforeBytes = backend.space.sizeBytes;
  const startMs = performance.now();
  const why = about === "" ? {} : { about };
  const began = { ...why, sizeBytes: sizeBeforeBytes };
  log({ level: "info", message: "defragmenting", fields: began });
  const outcome = await backend
    .defragment(() => snapFolder.openFile(DATABASE_NAME, "read"), {
      force,
      rateBytesPerSecond,
      signal: job.signal,
      report: progressOf(job.report),
    })
    .catch((error: unknown) => {
      const fields = { ...began, reason: reasonOf(error) };
      if (job.signal.aborted) log({ level: "info", message: "stopped defragmenting", fields });
      else log({ level: "warn", message: "failed to defragment", fields });
      throw error;
    });
  const tookMs = Math.round(performance.now() - startMs);
  // etcd counts each that it was asked for.
  counts.seconds.observe(tookMs / 1000);
  const { rounds, refusal } = outcome;
  if (refusal !== undefined) {
    const fields = { ...began, reason: refusal, tookMs };
    log({ level: "info", message: "skipped defragmenting", fields });
    const sizeAfterBytes = sizeBeforeBytes;
    const nothing = { sizeBeforeBytes, sizeAfterBytes, longestPauseMs: 0, rounds: 0 };
    return { ...nothing, outcome: "refused", reason: refusal, tookMs };
  }
  const sizeAfterBytes = backend.space.sizeBytes;
  const longestPauseMs = Math.round(outcome.longestPauseMs);
  const figures = { tookMs, longestPauseMs, rounds };
  const fields = { ...why, beforeBytes: sizeBeforeBytes, sizeBytes: sizeAfterBytes, ...figures };
  log({ level: "info", message: "finished defragmenting", fields });
  return { outcome: "done", reason: undefined, sizeBeforeBytes, sizeAfterBytes, ...figures };
}

/** How fast a phase is, and how long it will take, from how far it is. */
function progressOf(
  tell: (progress: Progress) => void,
): (phase: CopyPhase, doneBytes: number, totalBytes: number) => void {
  let current: CopyPhase | undefined;
  let startedMs = 0;
  return (phase, done, total) => {
    const nowMs = performance.now();
    if (phase !== current) startedMs = nowMs;
    current = phase;
    const seconds = (nowMs - startedMs) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
    const etaMs = rate > 0 && total > 0 ? (Math.max(total - done, 0) / rate) * 1000 : undefined;
    tell({ phase, done, total, rate, etaMs });
  };
}
