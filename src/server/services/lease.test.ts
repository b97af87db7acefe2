import { afterEach, beforeEach, expect, test } from "vitest";
import { DecodedMessage } from "../../../test/support/decoded-message.ts";
import { type Answer, callFake, openFake } from "../../../test/support/fake-call.ts";
import { Strata } from "../../engine/strata.ts";
import type { Service } from "../../grpc/service.ts";
import { encodeLeaseGrant, encodeLeaseRevoke } from "../../proto/lease-requests.ts";
import { written } from "../../proto/message-writer.ts";
import { leaseService } from "./lease.ts";
import { ServiceContext } from "./service-context.ts";

let nowMs: number;
let store: Strata;
let context: ServiceContext;
let lease: Service;

beforeEach(async () => {
  nowMs = 0;
  // Nothing happens by itself: whoever sleeps does so until the end.
  const sleep = (_: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  store = await Strata.open({ memory: true }, { clock: { nowMs: () => nowMs, sleep } });
  context = new ServiceContext(store.member);
  lease = leaseService(context);
});

afterEach(async () => {
  context.close();
  await store.close();
});

function only({ code, message, messages }: Answer): DecodedMessage {
  expect({ code, message }).toEqual({ code: 0, message: "" });
  return new DecodedMessage(messages[0] as Buffer);
}

const grant = async (ttl: number, id: bigint): Promise<DecodedMessage> =>
  only(await callFake(lease, "LeaseGrant", encodeLeaseGrant({ kind: "leaseGrant", ttl, id })));

const keepAlive = (id: bigint): Uint8Array => written((to, value) => to.bigint(1, value), id);

const timeToLive = async (id: bigint, keys = false): Promise<DecodedMessage> => {
  const request = written((to) => {
    to.bool(2, keys);
    to.bigint(1, id);
  }, undefined);
  return only(await callFake(lease, "LeaseTimeToLive", request));
};

test("a lease is granted with the id that was asked for, or one that is chosen", async () => {
  const given = await grant(60, 7n);
  expect([given.number(2), given.number(3), given.message(1).number(3)]).toEqual([7, 60, 1]);
  const chosen = await grant(60, 0n);
  expect(chosen.number(2)).toBeGreaterThan(0);
  expect((await grant(-1, -3n)).number(3)).toBeGreaterThan(0);
  const again = encodeLeaseGrant({ kind: "leaseGrant", ttl: 1, id: 7n });
  expect(await callFake(lease, "LeaseGrant", again)).toMatchObject({
    code: 9,
    message: "etcdserver: lease already exists",
  });
  const large = encodeLeaseGrant({ kind: "leaseGrant", ttl: 9_000_000_001, id: 8n });
  expect(await callFake(lease, "LeaseGrant", large)).toMatchObject({
    code: 11,
    message: "etcdserver: too large lease TTL",
  });
});

test("time to live, with keys; of no lease -1", async () => {
  await grant(60, 7n);
  await store.put("b", "", { lease: 7n });
  await store.put("a", "", { lease: 7n });
  const found = await timeToLive(7n, true);
  expect([found.number(2), found.number(4)]).toEqual([7, 60]);
  expect(found.number(3)).toBeGreaterThan(58);
  expect(found.all(5).map(String)).toEqual(["a", "b"]);
  expect((await timeToLive(7n)).all(5)).toEqual([]);
  const none = await timeToLive(8n, true);
  expect([none.number(2), none.number(3), none.number(4)]).toEqual([8, -1, 0]);
});

test("all leases, soonest to expire first", async () => {
  await grant(60, 7n);
  await grant(30, 9n);
  await grant(90, -1n);
  const found = only(await callFake(lease, "LeaseLeases", new Uint8Array(0)));
  expect(found.messages(2).map((one) => one.number(1))).toEqual([9, 7, -1]);
});

test("revoked, its keys are gone", async () => {
  await grant(60, 7n);
  await store.put("a", "", { lease: 7n });
  const request = encodeLeaseRevoke({ kind: "leaseRevoke", id: 7n });
  expect(
    only(await callFake(lease, "LeaseRevoke", request))
      .message(1)
      .number(3),
  ).toBe(3);
  expect((await store.get("a"))?.key).toBeUndefined();
  expect(await callFake(lease, "LeaseRevoke", request)).toMatchObject({
    code: 5,
    message: "etcdserver: requested lease not found",
  });
});

test("keep-alives are answered in their order, an unknown lease's with 0, and end with the client", async () => {
  await grant(60, 7n);
  await grant(30, 9n);
  const call = openFake(lease, "LeaseKeepAlive");
  for (const id of [7n, 8n, 9n, 7n]) call.write(keepAlive(id));
  const seen = call.messages.map((bytes) => new DecodedMessage(bytes));
  expect(seen.map((one) => [one.number(2), one.number(3)])).toEqual([
    [7, 60],
    [8, 0],
    [9, 30],
    [7, 60],
  ]);
  call.halfClose();
  expect(await call.whenEnded()).toEqual({ code: 0, message: "" });
});

test("a keep-alive of an expired lease waits for its end, and those behind it wait, too", async () => {
  await grant(60, 7n);
  await grant(5, 9n);
  // Expired, and not looked at yet.
  nowMs = 5_500;
  const call = openFake(lease, "LeaseKeepAlive");
  call.write(keepAlive(9n));
  call.write(keepAlive(7n));
  call.halfClose();
  expect(call.messages).toEqual([]);
  store.member.lessor.pass();
  expect(await call.whenEnded()).toEqual({ code: 0, message: "" });
  const seen = call.messages.map((bytes) => new DecodedMessage(bytes));
  expect(seen.map((one) => [one.number(2), one.number(3)])).toEqual([
    [9, 0],
    [7, 60],
  ]);
});

test("who does not read answers is not read from", async () => {
  await grant(60, 7n);
  const call = openFake(lease, "LeaseKeepAlive");
  call.setFull(true);
  call.write(keepAlive(7n));
  expect(call.paused).toBe(true);
  call.setFull(false);
  expect(call.paused).toBe(false);
  call.write(Uint8Array.of(0x08));
  expect((await call.whenEnded()).code).toBe(13);
});

test("calls that do not ask who is calling do not mind a token", async () => {
  const options = { metadata: { token: "abc.1" } };
  const codes = [];
  for (const [method, request] of [
    ["LeaseGrant", encodeLeaseGrant({ kind: "leaseGrant", ttl: 5, id: 7n })],
    ["LeaseRevoke", encodeLeaseRevoke({ kind: "leaseRevoke", id: 7n })],
    ["LeaseTimeToLive", keepAlive(7n)],
    ["LeaseLeases", new Uint8Array(0)],
  ] as const) {
    codes.push((await callFake(lease, method, request, options)).code);
  }
  expect(codes).toEqual([16, 16, 0, 0]);
});
