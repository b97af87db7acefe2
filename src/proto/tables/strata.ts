/** What strata's maintenance has beyond etcd's. @see proto/strata/maintenance.proto */
import { RESPONSE_HEADER, type ResponseHeader } from "./header.ts";
import {
  bool,
  int64,
  type MessageTable,
  type Method,
  message,
  method,
  repeated,
  string,
  sub,
} from "./message-table.ts";

export interface Progress {
  readonly phase: string;
  readonly done: bigint;
  readonly total: bigint;
  readonly rate: bigint;
  readonly etaMs: bigint;
}

export const PROGRESS: MessageTable<Progress> = message("stratapb.Progress", {
  phase: string(1),
  done: int64(2),
  total: int64(3),
  rate: int64(4),
  etaMs: int64(5),
});

export interface Job {
  readonly id: bigint;
  readonly kind: string;
  readonly about: string;
  readonly unit: string;
  readonly progress: Progress | undefined;
  readonly startedMs: bigint;
  readonly runningMs: bigint;
  readonly canBeCancelled: boolean;
  readonly stopping: boolean;
  readonly outcome: string;
  readonly reason: string;
}

export const JOB: MessageTable<Job> = message("stratapb.Job", {
  id: int64(1),
  kind: string(2),
  about: string(3),
  unit: string(4),
  progress: sub(5, () => PROGRESS),
  startedMs: int64(6),
  runningMs: int64(7),
  canBeCancelled: bool(8),
  stopping: bool(9),
  outcome: string(10),
  reason: string(11),
});

export interface JobsRequest {
  readonly all: boolean;
}

export const JOBS_REQUEST: MessageTable<JobsRequest> = message("stratapb.JobsRequest", {
  all: bool(1),
});

export interface JobsResponse {
  readonly header: ResponseHeader | undefined;
  readonly jobs: readonly Job[];
}

export const JOBS_RESPONSE: MessageTable<JobsResponse> = message("stratapb.JobsResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  jobs: repeated(sub(2, () => JOB)),
});

export interface CancelJobRequest {
  readonly id: bigint;
}

export const CANCEL_JOB_REQUEST: MessageTable<CancelJobRequest> = message(
  "stratapb.CancelJobRequest",
  { id: int64(1) },
);

export interface CancelJobResponse {
  readonly header: ResponseHeader | undefined;
}

export const CANCEL_JOB_RESPONSE: MessageTable<CancelJobResponse> = message(
  "stratapb.CancelJobResponse",
  { header: sub(1, () => RESPONSE_HEADER) },
);

export interface DefragmentRequest {
  readonly force: boolean;
  readonly rateBytesPerSecond: bigint;
}

export const DEFRAGMENT_REQUEST: MessageTable<DefragmentRequest> = message(
  "stratapb.DefragmentRequest",
  { force: bool(1), rateBytesPerSecond: int64(2) },
);

export interface DefragmentReport {
  readonly outcome: string;
  readonly reason: string;
  readonly sizeBeforeBytes: bigint;
  readonly sizeAfterBytes: bigint;
  readonly tookMs: bigint;
  readonly longestPauseMs: bigint;
  readonly rounds: bigint;
}

export const DEFRAGMENT_REPORT: MessageTable<DefragmentReport> = message(
  "stratapb.DefragmentReport",
  {
    outcome: string(1),
    reason: string(2),
    sizeBeforeBytes: int64(3),
    sizeAfterBytes: int64(4),
    tookMs: int64(5),
    longestPauseMs: int64(6),
    rounds: int64(7),
  },
);

export interface DefragmentResponse {
  readonly header: ResponseHeader | undefined;
  readonly progress: Progress | undefined;
  readonly report: DefragmentReport | undefined;
}

export const DEFRAGMENT_RESPONSE: MessageTable<DefragmentResponse> = message(
  "stratapb.DefragmentResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    progress: sub(2, () => PROGRESS),
    report: sub(3, () => DEFRAGMENT_REPORT),
  },
);

export type CheckIntegrityRequest = Readonly<Record<never, never>>;

export const CHECK_INTEGRITY_REQUEST: MessageTable<CheckIntegrityRequest> = message(
  "stratapb.CheckIntegrityRequest",
  {},
);

export interface Fault {
  readonly offsetBytes: bigint;
  readonly what: string;
}

export const FAULT: MessageTable<Fault> = message("stratapb.Fault", {
  offsetBytes: int64(1),
  what: string(2),
});

export interface IntegrityReport {
  readonly faultCount: bigint;
  readonly faults: readonly Fault[];
  readonly keys: bigint;
  readonly pages: bigint;
  readonly pagesFree: bigint;
  readonly sizeBytes: bigint;
  readonly tookMs: bigint;
}

export const INTEGRITY_REPORT: MessageTable<IntegrityReport> = message("stratapb.IntegrityReport", {
  faultCount: int64(1),
  faults: repeated(sub(2, () => FAULT)),
  keys: int64(3),
  pages: int64(4),
  pagesFree: int64(5),
  sizeBytes: int64(6),
  tookMs: int64(7),
});

export interface CheckIntegrityResponse {
  readonly header: ResponseHeader | undefined;
  readonly progress: Progress | undefined;
  readonly report: IntegrityReport | undefined;
}

export const CHECK_INTEGRITY_RESPONSE: MessageTable<CheckIntegrityResponse> = message(
  "stratapb.CheckIntegrityResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    progress: sub(2, () => PROGRESS),
    report: sub(3, () => INTEGRITY_REPORT),
  },
);

export interface SetQuotaRequest {
  readonly quotaBytes: bigint;
}

export const SET_QUOTA_REQUEST: MessageTable<SetQuotaRequest> = message(
  "stratapb.SetQuotaRequest",
  { quotaBytes: int64(1) },
);

export interface SetQuotaResponse {
  readonly header: ResponseHeader | undefined;
  readonly quotaBytes: bigint;
  readonly quotaBytesBefore: bigint;
}

export const SET_QUOTA_RESPONSE: MessageTable<SetQuotaResponse> = message(
  "stratapb.SetQuotaResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    quotaBytes: int64(2),
    quotaBytesBefore: int64(3),
  },
);

export const STRATA_METHODS: {
  readonly jobs: Method<JobsRequest, JobsResponse>;
  readonly cancelJob: Method<CancelJobRequest, CancelJobResponse>;
  readonly defragment: Method<DefragmentRequest, DefragmentResponse>;
  readonly checkIntegrity: Method<CheckIntegrityRequest, CheckIntegrityResponse>;
  readonly setQuota: Method<SetQuotaRequest, SetQuotaResponse>;
} = {
  jobs: method("/stratapb.Maintenance/Jobs", JOBS_REQUEST, JOBS_RESPONSE),
  cancelJob: method("/stratapb.Maintenance/CancelJob", CANCEL_JOB_REQUEST, CANCEL_JOB_RESPONSE),
  defragment: method("/stratapb.Maintenance/Defragment", DEFRAGMENT_REQUEST, DEFRAGMENT_RESPONSE),
  checkIntegrity: method(
    "/stratapb.Maintenance/CheckIntegrity",
    CHECK_INTEGRITY_REQUEST,
    CHECK_INTEGRITY_RESPONSE,
  ),
  setQuota: method("/stratapb.Maintenance/SetQuota", SET_QUOTA_REQUEST, SET_QUOTA_RESPONSE),
};
