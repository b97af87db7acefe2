/**
 * Long work on piscina's worker threads: plain data in and out, progress on the way, and an `AbortSignal`.
 *
 * A job is asked to stop through its progress cells and then ends by itself, cleaning up; its thread is not killed in
 * the middle of a write.
 */
import { Piscina } from "piscina";
import { JobAborted, type Outcome, takeValue } from "./outcome.ts";
import { newProgressCells, type Progress, type ProgressCells, ProgressReader } from "./progress.ts";
import { workerFile } from "./worker-file.ts";

export interface JobOptions {
  /** Memory in the input that is handed over instead of copied: the caller cannot use it any more. */
  readonly transfer?: readonly ArrayBuffer[];
  readonly signal?: AbortSignal;
  /** Called about ten times a second while the job runs, and once at its end. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What every job's worker function takes. */
export interface JobTask<Input> {
  readonly input: Input;
  readonly cells: ProgressCells;
  /** See JobPoolOptions. */
  readonly niced: boolean | number;
}

export interface JobPoolOptions {
  /**
   * Its threads stand back for the others of this process and of the machine: as far as can be, or by so much of nice
   * (1 to 19). Default: no.
   */
  readonly niced?: boolean | number;
  /** Default: 2, more were measured not to help where two cores read one disk. */
  readonly threads?: number;
}

/** One kind of job: its worker's file name in this folder and the names of its phases. */
export interface JobKind<Input, Output> {
  readonly worker: string;
  readonly phases: readonly string[];
  /** Keeps the types of a job together; never set. */
  readonly types?: { readonly input: Input; readonly output: Output };
}

const REPORT_MS = 100;

const THREADS = 2;

export class JobPool {
  readonly #niced: boolean | number;
  readonly #threads: number;
  #pool: Piscina | undefined;

  constructor({ niced = false, threads = THREADS }: JobPoolOptions = {}) {
    this.#niced = niced;
    this.#threads = threads;
  }

  /** @throws what the job threw; JobAborted after `signal` aborted */
  async run<Input, Output>(
    kind: JobKind<Input, Output>,
    input: Input,
    options: JobOptions = {},
  ): Promise<Output> {
    const { signal, onProgress } = options;
    if (signal?.aborted) throw new JobAborted();
    this.#pool ??= new Piscina({ minThreads: 0, maxThreads: this.#threads, idleTimeout: 1000 });
    const cells = newProgressCells();
    const reader = new ProgressReader(cells, kind.phases);
    const stop = (): void => reader.stop();
    signal?.addEventListener("abort", stop, { once: true });
    const report = (): void => onProgress?.(reader.read(performance.now()));
    const timer = onProgress && setInterval(report, REPORT_MS);
    try {
      const task: JobTask<Input> = { input, cells, niced: this.#niced };
      const outcome: Outcome<Output> = await this.#pool.run(task, {
        filename: workerFile(kind.worker),
        transferList: options.transfer ?? [],
      });
      report();
      return takeValue(outcome);
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#pool?.destroy();
    this.#pool = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
