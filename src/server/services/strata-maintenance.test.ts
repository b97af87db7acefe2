import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import {
  type Answer,
  callFake,
  type FakeCall,
  startFake,
} from "../../../test/support/fake-call.ts";
import { openMemoryMember } from "../../../test/support/memory-member.ts";
import { StrataError } from "../../base/errors.ts";
import type { DefragOptions, DefragReport } from "../../engine/defragmentation.ts";
import type { Member } from "../../engine/member.ts";
import type { Service } from "../../grpc/service.ts";
import * as pb from "../../proto/gen/strata/maintenance_pb.ts";
import { longTailServices } from "./long-tail.ts";
import { ServiceContext } from "./service-context.ts";

interface Rig extends AsyncDisposable {
  readonly member: Member;
  readonly service: Service;
}

async function open(): Promise<Rig> {
  const member = await openMemoryMember();
  const context = new ServiceContext(member);
  const service = longTailServices(context).find(({ name }) => name === "stratapb.Maintenance");
  if (service === undefined) throw new Error("there is no such service");
  return { member, service, [Symbol.asyncDispose]: () => member.close() };
}

function encoded<I extends DescMessage>(schema: I, init: MessageInitShape<I>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

async function jobsOf({ service }: Rig, all = false): Promise<pb.JobsResponse> {
  const answer = await callFake(service, "Jobs", encoded(pb.JobsRequestSchema, { all }));
  expect(answer).toMatchObject({ code: 0 });
  return fromBinary(pb.JobsResponseSchema, answer.messages[0] as Buffer);
}

function cancel({ service }: Rig, id: bigint): Promise<Answer> {
  return callFake(service, "CancelJob", encoded(pb.CancelJobRequestSchema, { id }));
}

test("jobs are listed with their progress, and those that are over if asked for", async () => {
  await using rig = await open();
  const { jobs } = rig.member;
  await jobs.run("hash", {}, async () => undefined);
  const job = jobs.begin("compaction", { about: "revision 7", unit: "records" });
  job.report({ phase: "deleting", done: 10.4, total: 40, rate: 5.5, etaMs: 0.2 });
  const running = await jobsOf(rig);
  expect(running.header).toMatchObject({ memberId: rig.member.cluster.localId });
  expect(running.jobs).toMatchObject([
    {
      id: 2n,
      kind: "compaction",
      about: "revision 7",
      unit: "records",
      progress: { phase: "deleting", done: 10n, total: 40n, rate: 6n, etaMs: 1n },
      canBeCancelled: true,
      stopping: false,
      outcome: "",
    },
  ]);
  const all = await jobsOf(rig, true);
  expect(all.jobs.map(({ id, kind, outcome }) => [id, kind, outcome])).toEqual([
    [1n, "hash", "done"],
    [2n, "compaction", ""],
  ]);
  expect(all.jobs[0]?.progress?.etaMs).toBe(0n);
  job.end();
});

test("a job is cancelled by its id; one that is not there or may not stop is refused", async () => {
  await using rig = await open();
  const { jobs } = rig.member;
  const job = jobs.begin("snapshot");
  expect(await cancel(rig, 1n)).toMatchObject({ code: 0 });
  expect(job.signal.aborted).toBe(true);
  expect((await jobsOf(rig)).jobs).toMatchObject([{ stopping: true }]);
  job.end();
  expect(await cancel(rig, 1n)).toMatchObject({ code: 5, message: "no job 1 is running" });
  expect(await cancel(rig, -(2n ** 63n))).toMatchObject({ code: 5 });
  const fixed = jobs.begin("compaction", { canBeCancelled: false });
  expect(await cancel(rig, 2n)).toMatchObject({
    code: 9,
    message: "job 2: a compaction cannot be cancelled",
  });
  fixed.end();
});

const answers = (call: FakeCall): pb.DefragmentResponse[] =>
  call.messages.map((message) => fromBinary(pb.DefragmentResponseSchema, message));

test("a defragmentation ends with its report", async () => {
  await using rig = await open();
  const request = encoded(pb.DefragmentRequestSchema, { force: true });
  const call = startFake(rig.service, "Defragment", request);
  expect(await call.whenEnded()).toEqual({ code: 0, message: "" });
  const last = answers(call).at(-1);
  expect(last?.header?.memberId).toBe(rig.member.cluster.localId);
  expect(last?.report).toMatchObject({ outcome: "done", reason: "" });
  expect(last?.report?.sizeAfterBytes).toBe(BigInt(rig.member.backend.space.sizeBytes));
});

/** A defragmentation in the test's own hands. */
async function scripted(
  defragment: (options: DefragOptions) => Promise<DefragReport>,
): Promise<Rig> {
  const rig = await open();
  vi.spyOn(rig.member.maintenance, "defragment").mockImplementation((options = {}) =>
    defragment(options),
  );
  return rig;
}

test("progress is sent on the way, as fast as it is read", async () => {
  const progress = { phase: "copying", total: 100, rate: 10, etaMs: undefined };
  let begin: (options: DefragOptions) => void = () => undefined;
  const began = new Promise<DefragOptions>((resolve) => {
    begin = resolve;
  });
  let finish: (report: DefragReport) => void = () => undefined;
  await using rig = await scripted((options) => {
    begin(options);
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const request = encoded(pb.DefragmentRequestSchema, { rateBytesPerSecond: 7n });
  const call = startFake(rig.service, "Defragment", request);
  const { onProgress, force, rateBytesPerSecond } = await began;
  expect({ force, rateBytesPerSecond }).toEqual({ force: false, rateBytesPerSecond: 7 });
  onProgress?.({ ...progress, done: 1 });
  call.setFull(true);
  for (const done of [2, 3, 4]) onProgress?.({ ...progress, done });
  call.setFull(false);
  await new Promise((resolve) => setImmediate(resolve));
  onProgress?.({ ...progress, done: 5 });
  finish({
    outcome: "refused",
    reason: "nothing would be gained",
    sizeBeforeBytes: 100,
    sizeAfterBytes: 100,
    tookMs: 1.2,
    longestPauseMs: 0,
    rounds: 0,
  });
  await call.whenEnded();
  expect(answers(call).map(({ progress: found }) => found?.done)).toEqual([1n, 2n, 5n, undefined]);
  expect(answers(call).at(-1)?.report).toMatchObject({
    outcome: "refused",
    reason: "nothing would be gained",
    tookMs: 2n,
  });
});

test("a call that is cancelled stops it; a job that is cancelled ends the call", async () => {
  await using rig = await scripted(
    ({ signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true }),
      ),
  );
  const call = startFake(rig.service, "Defragment", new Uint8Array(0));
  call.cancel();
  expect(await call.whenEnded()).toMatchObject({ code: 1 });
  await using refusing = await scripted(async () => {
    throw new StrataError("CANCELED", "job 3 (defragmentation) was cancelled");
  });
  expect(await callFake(refusing.service, "Defragment", new Uint8Array(0))).toMatchObject({
    code: 1,
    message: "job 3 (defragmentation) was cancelled",
  });
  await using full = await scripted(async () => {
    throw new StrataError("NO_DISK", "1.0 GB is needed and 20 MB is free");
  });
  expect(await callFake(full.service, "Defragment", new Uint8Array(0))).toMatchObject({
    code: 8,
    message: "1.0 GB is needed and 20 MB is free",
  });
});

test("what cannot be asked is refused: a negative rate, a token while authentication is off", async () => {
  await using rig = await open();
  const request = encoded(pb.DefragmentRequestSchema, { rateBytesPerSecond: -1n });
  expect(await callFake(rig.service, "Defragment", request)).toMatchObject({ code: 3 });
  const options = { metadata: { token: "abcdefghijklmnop.17" } };
  for (const method of Object.keys(rig.service.methods)) {
    expect(await callFake(rig.service, method, new Uint8Array(0), options)).toMatchObject({
      code: 16,
      message: "etcdserver: invalid auth token",
    });
  }
});

test("the integrity of the database is checked while it is used", async () => {
  await using rig = await open();
  const call = startFake(rig.service, "CheckIntegrity", new Uint8Array(0));
  expect(await call.whenEnded()).toEqual({ code: 0, message: "" });
  const last = fromBinary(pb.CheckIntegrityResponseSchema, call.messages.at(-1) as Buffer);
  expect(last.header?.memberId).toBe(rig.member.cluster.localId);
  expect(last.report).toMatchObject({ faultCount: 0n, faults: [] });
  expect(last.report?.pages).toBeGreaterThan(0n);
  const { sizeBytes } = rig.member.backend.space;
  expect(last.report?.sizeBytes).toBe(BigInt(sizeBytes));
  const spied = vi.spyOn(rig.member.maintenance, "check");
  spied.mockResolvedValue({
    ok: false,
    faults: [{ offsetBytes: 4096, what: "page 1 is nobody's" }],
    faultCount: 7,
    keys: 3,
    pages: 2,
    pagesFree: 1,
    sizeBytes: 12_288,
    tookMs: 5,
  });
  const faulty = await callFake(rig.service, "CheckIntegrity", new Uint8Array(0));
  const { report } = fromBinary(pb.CheckIntegrityResponseSchema, faulty.messages[0] as Buffer);
  expect(report).toMatchObject({
    faultCount: 7n,
    faults: [{ offsetBytes: 4096n, what: "page 1 is nobody's" }],
  });
});

test("the quota is changed at once, and what was in force is told", async () => {
  await using rig = await open();
  const set = async (quotaBytes: bigint) => {
    const request = encoded(pb.SetQuotaRequestSchema, { quotaBytes });
    const answer = await callFake(rig.service, "SetQuota", request);
    expect(answer).toMatchObject({ code: 0 });
    const { quotaBytes: now, quotaBytesBefore } = fromBinary(
      pb.SetQuotaResponseSchema,
      answer.messages[0] as Buffer,
    );
    return [quotaBytesBefore, now];
  };
  const gib = 2n ** 30n;
  await set(0n);
  expect(await set(16n * gib)).toEqual([2n * gib, 16n * gib]);
  expect(rig.member.quota.bytes).toBe(Number(16n * gib));
  expect(await set(-5n)).toEqual([16n * gib, -1n]);
  expect(await set(0n)).toEqual([-1n, 2n * gib]);
  const tooMuch = encoded(pb.SetQuotaRequestSchema, { quotaBytes: 2n ** 62n });
  expect(await callFake(rig.service, "SetQuota", tooMuch)).toMatchObject({ code: 3 });
});
