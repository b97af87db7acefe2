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

type Name = "Jobs" | "CancelJob" | "Defragment";

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

/** Ends with the call. Of progress, what a slow reader has no room for is left out. */
async function defragment(
  member: Member,
  { force, rateBytesPerSecond }: pb.DefragmentRequest,
  call: StreamCall,
): Promise<void> {
  if (rateBytesPerSecond < 0n) {
    throw new GrpcError(Code.invalidArgument, "rate_bytes_per_second: a rate is not negative");
  }
  const send = (init: MessageInitShape<typeof pb.DefragmentResponseSchema>): boolean =>
    call.send(toBinary(pb.DefragmentResponseSchema, create(pb.DefragmentResponseSchema, init)));
  let hasRoom = true;
  const onProgress = (progress: Progress): void => {
    if (!hasRoom || call.ended) return;
    hasRoom = send({ progress: progressInit(progress) });
    if (hasRoom) return;
    void call.drained().then(() => {
      hasRoom = true;
    });
  };
  const report = await member.maintenance.defragment({
    force,
    signal: call.signal,
    onProgress,
    ...(rateBytesPerSecond > 0n && { rateBytesPerSecond: Number(rateBytesPerSecond) }),
  });
  const { outcome, reason = "", sizeBeforeBytes, sizeAfterBytes, tookMs, longestPauseMs } = report;
  send({
    header: headerOf(member),
    report: {
      outcome,
      reason,
      sizeBeforeBytes: BigInt(sizeBeforeBytes),
      sizeAfterBytes: BigInt(sizeAfterBytes),
      tookMs: whole(Math.ceil(tookMs)),
      longestPauseMs: whole(Math.ceil(longestPauseMs)),
    },
  });
  call.end();
}
