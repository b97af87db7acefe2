/** Snapshots over the wire, without a wire: what a slow receiver costs, and when it is given up. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeCall } from "../../../test/support/fake-call.ts";
import { Code } from "../../grpc/status.ts";
import { type EngineEvent, Strata } from "../../index.ts";
import { SnapshotResponseSchema } from "../../proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { sendSnapshot } from "./snapshot.ts";

const PATH = "/etcdserverpb.Maintenance/Snapshot";

async function filled(clock?: ManualClock, events: EngineEvent[] = []): Promise<Strata> {
  const store = await Strata.open(
    { memory: true },
    { selfMaintain: false, log: (event) => events.push(event), ...(clock && { clock }) },
  );
  const puts = Array.from({ length: 50 }, (_, i) => store.put(`key-${i}`, "x".repeat(9000)));
  await clock?.advance(1000);
  await Promise.all(puts);
  return store;
}

test("messages are of 32 KiB, count down what is left, and end with the checksum alone", async () => {
  await using store = await filled();
  const call = new FakeCall(PATH);
  await sendSnapshot(store.member, call);
  const messages = call.messages.map((bytes) => fromBinary(SnapshotResponseSchema, bytes));
  const blobs = messages.map(({ blob }) => blob);
  const checksum = blobs.pop();
  const database = Buffer.concat(blobs);
  expect(createHash("sha256").update(database).digest()).toEqual(Buffer.from(checksum ?? []));
  expect(blobs.slice(0, -1).every(({ length }) => length === 32 * 1024)).toBe(true);
  let left = database.length;
  for (const { blob, remainingBytes } of messages.slice(0, -1)) {
    left -= blob.length;
    expect(remainingBytes).toBe(BigInt(left));
  }
  expect(call.status).toMatchObject({ code: Code.ok });
  expect(store.status().readers).toEqual([]);
});

test("a receiver that takes too long is told why, the pages are free again, and the log says so once", async () => {
  const clock = new ManualClock();
  const events: EngineEvent[] = [];
  const store = await filled(clock, events);
  const call = new FakeCall(PATH);
  call.setFull(true);
  const sending = sendSnapshot(store.member, call, 60_000);
  await clock.advance(59_999);
  expect(store.status().readers).toMatchObject([{ purpose: "snapshot" }]);
  expect(store.jobs.list()).toMatchObject([{ kind: "snapshot" }]);
  await clock.advance(1);
  await sending;
  expect(store.status().readers).toEqual([]);
  expect(store.jobs.list()).toEqual([]);
  expect(call.status?.code).toBe(Code.deadlineExceeded);
  expect(call.status?.message).toMatch(
    /^etcdserver: the snapshot was given up after 1m0s \(--snapshot-max-duration\): \d+ of \d+ bytes were taken$/,
  );
  const warnings = events.filter(({ level }) => level === "warn");
  expect(warnings).toMatchObject([
    {
      message: "gave up a snapshot that was taken too slowly",
      fields: { "held-for": "1m0s", limit: "--snapshot-max-duration" },
    },
  ]);
  await store.member.abandon();
});

test("a receiver that goes away takes its pin with it, limit or none", async () => {
  await using store = await filled();
  const call = new FakeCall(PATH);
  call.setFull(true);
  const sending = sendSnapshot(store.member, call);
  while (store.status().readers.length === 0) await sleep(1);
  call.cancel();
  await sending.catch(() => undefined);
  expect(store.status().readers).toEqual([]);
  expect(store.jobs.list()).toEqual([]);
});
