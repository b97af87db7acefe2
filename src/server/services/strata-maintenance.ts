/** stratapb.Maintenance: what maintenance has here beyond etcd's. See proto/strata/maintenance.proto. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { StrataError } from "../../base/errors.ts";
import type { FinishedJob, JobReport } from "../../engine/jobs.ts";
import type { Member } from "../../engine/member.ts";
import type { Method, StreamCall } from "../../grpc/service.ts";
import { Code, GrpcError } from "../../grpc/status.ts";
import type { Progress } from "../../jobs/progress.ts";
import * as pb from "../../proto/gen/strata/maintenance_pb.ts";
import { headerOf } from "./header.ts";
import { assertNoToken } from "./no-token.ts";
import type { ServiceContext } from "./service-context.ts";
import { decoded, unary } from "./unary.ts";

type Name = "Jobs" | "CancelJob" | "Defragment" | "CheckIntegrity" | "SetQuota";

export function strataMaintenanceMethods({
  member,
}: ServiceContext): Readonly<Record<Name, Method>> {
  return {
    Jobs: unary(pb.JobsRequestSchema, pb.JobsResponseSchema, ({ all }, call) => {
      assertNoToken(call);
      member.assertOpen();
      return { header: headerOf(member), jobs: jobsOf(member, all) };
    }),
    CancelJob: unary(pb.CancelJobRequestSchema, pb.CancelJobResponseSchema, ({ id }, call) => {
      assertNoToken(call);
      member.assertOpen();
      cancel(member, Number(id));
      return { header: headerOf(member) };
    }),
    Defragment: {
      kind: "serverStream",
      handle: async (call, bytes, start, end) => {
        const request = decoded(call, pb.DefragmentRequestSchema, bytes, start, end);
        if (request === undefined) return;
        assertNoToken(call);
        await defragment(member, request, call);
      },
    },
    CheckIntegrity: {
      kind: "serverStream",
      handle: async (call, bytes, start, end) => {
        if (decoded(call, pb.CheckIntegrityRequestSchema, bytes, start, end) === undefined) return;
        assertNoToken(call);
        await checkIntegrity(member, call);
      },
    },
    SetQuota: unary(pb.SetQuotaRequestSchema, pb.SetQuotaResponseSchema, (request, call) => {
      assertNoToken(call);
      const before = quotaBytesOf(member);
      if (request.quotaBytes > Number.MAX_SAFE_INTEGER) {
        throw new GrpcError(Code.invalidArgument, "quota_bytes: more than any disk has");
      }
      member.setQuota(Number(request.quotaBytes));
      return {
        header: headerOf(member),
        quotaBytes: quotaBytesOf(member),
        quotaBytesBefore: before,
      };
    }),
  };
}

type JobInit = MessageInitShape<typeof pb.JobSchema>;

/** By the ids, in which order they began. */
function jobsOf({ jobs }: Member, all: boolean): JobInit[] {
  const found: (JobReport | FinishedJob)[] = jobs.list();
  if (all) found.push(...jobs.finished());
  return found.sort((a, b) => a.id - b.id).map(jobInit);
}

function jobInit(job: JobReport | FinishedJob): JobInit {
  const { id, kind, about, unit, startedMs, runningMs, canBeCancelled, stopping } = job;
  return {
    id: BigInt(id),
    kind,
    about,
    unit,
    progress: progressInit(job),
    startedMs: whole(startedMs),
    runningMs: whole(runningMs),
    canBeCancelled,
    stopping,
    ...("outcome" in job && { outcome: job.outcome, reason: job.reason ?? "" }),
  };
}

function progressInit(progress: Progress): MessageInitShape<typeof pb.ProgressSchema> {
  const { phase, done, total, rate, etaMs } = progress;
  return {
    phase,
    done: whole(done),
    total: whole(total),
    rate: whole(rate),
    // 0 says that it cannot be told.
    etaMs: etaMs === undefined ? 0n : whole(Math.max(1, etaMs)),
  };
}

function whole(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.round(value)) : 0n;
}

/** @throws GrpcError */
function cancel({ jobs }: Member, id: number): void {
  try {
    jobs.cancel(id);
  } catch (error) {
    if (!(error instanceof StrataError)) throw error;
    const code = error.code === "NOT_FOUND" ? Code.notFound : Code.failedPrecondition;
    throw new GrpcError(code, error.message, { cause: error });
  }
}

/** What a slow reader has no room for is left out. */
function progressOn(
  call: StreamCall,
  encode: (progress: MessageInitShape<typeof pb.ProgressSchema>) => Uint8Array,
): (progress: Progress) => void {
  let hasRoom = true;
  return (progress) => {
    if (!hasRoom || call.ended) return;
    hasRoom = call.send(encode(progressInit(progress)));
    if (hasRoom) return;
    void call.drained().then(() => {
      hasRoom = true;
    });
  };
}

async function defragment(
  member: Member,
  { force, rateBytesPerSecond }: pb.DefragmentRequest,
  call: StreamCall,
): Promise<void> {
  if (rateBytesPerSecond < 0n) {
    throw new GrpcError(Code.invalidArgument, "rate_bytes_per_second: a rate is not negative");
  }
  const encode = (init: MessageInitShape<typeof pb.DefragmentResponseSchema>): Uint8Array =>
    toBinary(pb.DefragmentResponseSchema, create(pb.DefragmentResponseSchema, init));
  const report = await member.maintenance.defragment({
    force,
    signal: call.signal,
    onProgress: progressOn(call, (progress) => encode({ progress })),
    ...(rateBytesPerSecond > 0n && { rateBytesPerSecond: Number(rateBytesPerSecond) }),
  });
  const { outcome, reason = "", sizeBeforeBytes, sizeAfterBytes } = report;
  const { tookMs, longestPauseMs, rounds } = report;
  const told = {
    outcome,
    reason,
    sizeBeforeBytes: BigInt(sizeBeforeBytes),
    sizeAfterBytes: BigInt(sizeAfterBytes),
    tookMs: whole(Math.ceil(tookMs)),
    longestPauseMs: whole(Math.ceil(longestPauseMs)),
    rounds: BigInt(rounds),
  };
  call.send(encode({ header: headerOf(member), report: told }));
  call.end();
}

async function checkIntegrity(member: Member, call: StreamCall): Promise<void> {
  const encode = (init: MessageInitShape<typeof pb.CheckIntegrityResponseSchema>): Uint8Array =>
    toBinary(pb.CheckIntegrityResponseSchema, create(pb.CheckIntegrityResponseSchema, init));
  const report = await member.maintenance.check({
    signal: call.signal,
    onProgress: progressOn(call, (progress) => encode({ progress })),
  });
  const { faultCount, faults, keys, pages, pagesFree, sizeBytes, tookMs } = report;
  const told = {
    faultCount: BigInt(faultCount),
    faults: faults.map(({ offsetBytes, what }) => ({ offsetBytes: BigInt(offsetBytes), what })),
    keys: BigInt(keys),
    pages: BigInt(pages),
    pagesFree: BigInt(pagesFree),
    sizeBytes: BigInt(sizeBytes),
    tookMs: whole(Math.ceil(tookMs)),
  };
  call.send(encode({ header: headerOf(member), report: told }));
  call.end();
}

/** -1: there is none. */
function quotaBytesOf({ quota }: Member): bigint {
  return Number.isFinite(quota.bytes) ? BigInt(quota.bytes) : -1n;
}
