/** What strata's maintenance has beyond etcd's, for a program. Any other etcd rejects with an RpcError, status 12. */
import { wholeNumber } from "../../api/whole-number.ts";
import type { Progress } from "../../jobs/progress.ts";
import type { Method, Partially } from "../../proto/tables/message-table.ts";
import {
  type Job,
  STRATA_METHODS,
  type Progress as WireProgress,
} from "../../proto/tables/strata.ts";
import type { Calls, EndpointOptions } from "../calls.ts";
import { GrpcStatus, RpcError } from "../status.ts";

/** As a store in the process shows it (`store.jobs`). */
export interface RemoteJob extends Progress {
  readonly id: number;
  /** `compaction`, `defragmentation`, `hash`, `hash-kv`, `integrity-check`, `snapshot`, `snapshot-save`; a newer server may have others. */
  readonly kind: string;
  /** Why it runs, or on what; empty: somebody asked for it. */
  readonly about: string;
  /** What `done` and `total` count: `bytes` or `records`. */
  readonly unit: string;
  /** Since 1970. */
  readonly startedMs: number;
  readonly runningMs: number;
  readonly canBeCancelled: boolean;
  readonly stopping: boolean;
  /** `done`, `refused`, `failed`, `cancelled`; undefined: it runs. */
  readonly outcome: string | undefined;
  /** Why it was refused, or has failed. */
  readonly reason: string | undefined;
}

/** For a call that tells its progress. It ends with the call. `timeoutMs` is for all of it, and by default there is none. */
export interface FollowedOptions extends EndpointOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface RemoteDefragOptions extends FollowedOptions {
  /** Also where nothing would be gained. Default: no. */
  readonly force?: boolean | undefined;
  /** Of the copying, at most, in whole bytes. Default: as fast as it goes. */
  readonly rateBytesPerSecond?: number | undefined;
}

export interface RemoteDefragReport {
  /** `done`; or `refused`: nothing was done, as `reason` says. */
  readonly outcome: string;
  readonly reason: string | undefined;
  readonly sizeBeforeBytes: number;
  readonly sizeAfterBytes: number;
  readonly tookMs: number;
  /** For which nothing was committed, at most; puts and gets went on. */
  readonly longestPauseMs: number;
  readonly rounds: number;
}

export interface RemoteCheckReport {
  /** There is no fault. */
  readonly ok: boolean;
  /** All that were found, and the first of them. */
  readonly faultCount: number;
  readonly faults: readonly { readonly offsetBytes: number; readonly what: string }[];
  readonly keys: number;
  readonly pages: number;
  readonly pagesFree: number;
  readonly sizeBytes: number;
  readonly tookMs: number;
}

export class RemoteStrata {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Long work that is under way, in the order in which it began. @param options  all: also what is over, as far as it is remembered */
  async jobs(
    options: { readonly all?: boolean | undefined } & EndpointOptions = {},
  ): Promise<RemoteJob[]> {
    const request = { all: options.all ?? false };
    const { jobs } = await this.#calls.call(STRATA_METHODS.jobs, request, options);
    return jobs.map(remoteJob);
  }

  /** Tells a job to stop. @throws (rejects) RpcError: status 5 if none of that id runs, 9 if it has to come to its end */
  async cancelJob(id: number, options: EndpointOptions = {}): Promise<void> {
    await this.#calls.call(
      STRATA_METHODS.cancelJob,
      { id: BigInt(wholeNumber(id, "id")) },
      options,
    );
  }

  /**
   * As `Client.defragment`, with progress and a report.
   * @throws (rejects) RpcError: status 1 if somebody cancelled the job, 8 if there is not enough disk
   */
  async defragment(options: RemoteDefragOptions = {}): Promise<RemoteDefragReport> {
    const { force = false, rateBytesPerSecond = 0 } = options;
    const rate = wholeNumber(rateBytesPerSecond, "rateBytesPerSecond");
    const request = { force, rateBytesPerSecond: BigInt(rate) };
    const report = await this.#follow(STRATA_METHODS.defragment, request, options);
    return {
      outcome: report.outcome,
      reason: report.reason === "" ? undefined : report.reason,
      sizeBeforeBytes: Number(report.sizeBeforeBytes),
      sizeAfterBytes: Number(report.sizeAfterBytes),
      tookMs: Number(report.tookMs),
      longestPauseMs: Number(report.longestPauseMs),
      rounds: Number(report.rounds),
    };
  }

  /** Looks at every page of the database as it is at the call. Faults are the result, and no error. */
  async checkIntegrity(options: FollowedOptions = {}): Promise<RemoteCheckReport> {
    const report = await this.#follow(STRATA_METHODS.checkIntegrity, {}, options);
    return {
      ok: report.faultCount === 0n,
      faultCount: Number(report.faultCount),
      faults: report.faults.map(({ offsetBytes, what }) => ({
        offsetBytes: Number(offsetBytes),
        what,
      })),
      keys: Number(report.keys),
      pages: Number(report.pages),
      pagesFree: Number(report.pagesFree),
      sizeBytes: Number(report.sizeBytes),
      tookMs: Number(report.tookMs),
    };
  }

  /**
   * Changes the quota of the running server; the next start takes that of its flags again.
   * @param bytes  as --quota-backend-bytes: 0 = the default, negative = none
   * @returns what is in force now; Infinity: none
   */
  async setQuota(bytes: number, options: EndpointOptions = {}): Promise<number> {
    const request = { quotaBytes: BigInt(wholeNumber(bytes, "bytes")) };
    const answer = await this.#calls.call(STRATA_METHODS.setQuota, request, options);
    return answer.quotaBytes < 0n ? Number.POSITIVE_INFINITY : Number(answer.quotaBytes);
  }

  async #follow<I, R>(
    method: Method<
      I,
      { readonly progress: WireProgress | undefined; readonly report: R | undefined }
    >,
    request: Partially<I>,
    { signal, timeoutMs, endpoint, onProgress }: FollowedOptions,
  ): Promise<R> {
    const stream = this.#calls.open(method, { signal, timeoutMs, endpoint });
    const report = async (): Promise<R> => {
      // Where the call has failed already, the iteration says why.
      await stream.send(request).catch(() => undefined);
      stream.end();
      let found: R | undefined;
      for await (const step of stream) {
        if (step.progress !== undefined) onProgress?.(progressOfWire(step.progress));
        found = step.report ?? found;
      }
      if (found === undefined) {
        throw new RpcError(GrpcStatus.internal, "the server did not say what came of it");
      }
      return found;
    };
    return this.#calls.truly(report());
  }
}

/** From the wire. */
export function progressOfWire({ phase, done, total, rate, etaMs }: WireProgress): Progress {
  return {
    phase,
    done: Number(done),
    total: Number(total),
    rate: Number(rate),
    etaMs: etaMs === 0n ? undefined : Number(etaMs),
  };
}

const NOTHING: WireProgress = { phase: "", done: 0n, total: 0n, rate: 0n, etaMs: 0n };

function remoteJob(job: Job): RemoteJob {
  const { kind, about, unit, canBeCancelled, stopping, outcome, reason, progress } = job;
  return {
    ...progressOfWire(progress ?? NOTHING),
    id: Number(job.id),
    kind,
    about,
    unit,
    startedMs: Number(job.startedMs),
    runningMs: Number(job.runningMs),
    canBeCancelled,
    stopping,
    outcome: outcome === "" ? undefined : outcome,
    reason: reason === "" ? undefined : reason,
  };
}
