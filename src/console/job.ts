/** One job on behalf of a command: its threads, its progress, its end by a signal. */
import { JobAborted } from "../jobs/outcome.ts";
import type { JobOptions, JobPool, JobPoolOptions } from "../jobs/pool.ts";
import type { StopSignal } from "./exit-codes.ts";
import { Interrupted } from "./failure.ts";
import type { Io } from "./io.ts";
import { type ProgressMode, progressDisplay } from "./progress.ts";

/**
 * Of what only looks at a file: it stands back for a server on the same machine, and costs nothing where there is none.
 */
export const LOOKING: JobPoolOptions = { niced: 10 };

/**
 * @throws Interrupted when SIGINT or SIGTERM stopped it; what the job throws
 */
export async function runJob<T>(
  io: Io,
  mode: ProgressMode,
  job: (pool: JobPool, options: JobOptions) => Promise<T>,
  threads: JobPoolOptions = {},
): Promise<T> {
  // The threads' library is most of what a command loads.
  const { JobPool } = await import("../jobs/pool.ts");
  const pool = new JobPool(threads);
  const display = await progressDisplay(mode, io);
  return await io.interruptible(async (signal) => {
    try {
      return await job(pool, { signal, ...(display.show && { onProgress: display.show }) });
    } catch (error) {
      if (!(error instanceof JobAborted)) throw error;
      throw new Interrupted(signal.reason as StopSignal);
    } finally {
      display.end();
      await pool.close();
    }
  });
}
