/**
 * The storage thread: a pool of one that has the page file open and is its only writer. Here is the main thread's end
 * of it; `storage.worker.ts` is the other.
 */
import { Piscina } from "piscina";
import type {
  CommitReport,
  CommitTask,
  CompactReport,
  CompactTask,
  CopyWork,
  FreshCopy,
  OpenReport,
  ScanPiece,
  ScanTask,
  Storage,
  StorageOptions,
} from "../backend/storage.ts";
import { StrataError } from "../base/errors.ts";
import {
  CopyThread,
  type CopyThreadHost,
  type OldFile,
  type SwapAnswer,
  type SwapTask,
} from "./copy-thread.ts";
import { type Outcome, takeValue } from "./outcome.ts";
import { JobPool } from "./pool.ts";
import { workerFile } from "./worker-file.ts";

/** What crosses. */
export type StorageCall =
  | {
      readonly call: "open";
      readonly path: string;
      readonly options: StorageOptions;
      readonly olderRoot: boolean;
    }
  | { readonly call: "commit"; readonly task: CommitTask }
  | { readonly call: "compact"; readonly task: CompactTask }
  | { readonly call: "scan"; readonly task: ScanTask }
  | { readonly call: "prepare"; readonly copy: string }
  | { readonly call: "swap"; readonly task: SwapTask }
  | { readonly call: "close" };

export type StorageAnswer =
  | OpenReport
  | CommitReport
  | CompactReport
  | ScanPiece
  | SwapAnswer
  | undefined;

/**
 * Of the thread that copies: next to one that is busy it gets a quarter of the core. As far back as other jobs it would
 * get a thirtieth, and the second of work in half a gigabyte take half a minute on a machine that is busy.
 */
const NICE = 5;

export class StorageThread implements Storage {
  readonly #path: string;
  readonly #options: StorageOptions;
  /** Of fresh copies, and of what is left of files that were. */
  readonly #copying = new JobPool({ niced: NICE, threads: 1 });
  readonly #old = new Set<OldFile>();
  #lockedBy: OpenReport["lockedBy"] = "none";
  #pool: Piscina | undefined;

  /** @param path  of the page file; made when it is not there */
  constructor(path: string, options: StorageOptions) {
    this.#path = path;
    this.#options = options;
  }

  async open(olderRoot: boolean): Promise<OpenReport> {
    this.#pool ??= new Piscina({
      filename: workerFile("storage"),
      minThreads: 1,
      maxThreads: 1,
      stricterFIFO: true,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    const path = this.#path;
    const options = this.#options;
    const report = (await this.#ask({ call: "open", path, options, olderRoot })) as OpenReport;
    this.#lockedBy = report.lockedBy;
    return report;
  }

  async commit(task: CommitTask): Promise<CommitReport> {
    return (await this.#ask({ call: "commit", task })) as CommitReport;
  }

  async compact(task: CompactTask): Promise<CompactReport> {
    return (await this.#ask({ call: "compact", task })) as CompactReport;
  }

  async scan(task: ScanTask): Promise<ScanPiece> {
    return (await this.#ask({ call: "scan", task })) as ScanPiece;
  }

  freshCopy(work: CopyWork): FreshCopy {
    const host: CopyThreadHost = {
      path: this.#path,
      options: this.#options,
      lockedBy: this.#lockedBy,
      pool: this.#copying,
      prepare: async (copy) => void (await this.#ask({ call: "prepare", copy })),
      swap: async (task) => (await this.#ask({ call: "swap", task })) as SwapAnswer,
      keepOld: (file) => void this.#old.add(file),
      forgetOld: (file) => void this.#old.delete(file),
    };
    return new CopyThread(host, work);
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined) return;
    try {
      await this.#ask({ call: "close" });
    } finally {
      this.#pool = undefined;
      await pool.destroy();
      for (const file of this.#old) await file.close();
      await this.#copying.close();
    }
  }

  async #ask(call: StorageCall): Promise<StorageAnswer> {
    if (this.#pool === undefined) throw new StrataError("CLOSED", `${this.#path}: not open`);
    const outcome: Outcome<StorageAnswer> = await this.#pool.run(call);
    return takeValue(outcome);
  }
}
