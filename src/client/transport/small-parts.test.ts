/** What is a function and no more: timeouts as gRPC writes them, waits, what is tried again, percent signs. */
import { expect, test } from "vitest";
import { EtcdError } from "../../base/errors.ts";
import { GrpcStatus, RpcError } from "../status.ts";
import { reconnectDelayMs } from "./backoff.ts";
import { percentDecoded } from "./call-end.ts";
import { grpcTimeout } from "./grpc-timeout.ts";
import { isLearners, isRepeatable, isUnavailable, retryDelayMs } from "./retry.ts";

test.each([
  [5000, "5000000u"],
  [0.0001, "1u"],
  [-5, "1u"],
  [1.0005, "1001u"],
  [99_999.999, "99999999u"],
  [100_000, "100000m"],
  [99_999_999.5, "100000S"],
  [3_600_000 * 100_000_000, "99999999H"],
  [Number.POSITIVE_INFINITY, "99999999H"],
])("%d ms are %s", (ms, text) => {
  expect(grpcTimeout(ms)).toBe(text);
});

test("waits grow from 50 ms to 3 s, give or take a fifth", () => {
  const middle = (failures: number): number => reconnectDelayMs(failures, () => 0.5);
  expect([1, 2, 3].map(middle).map(Math.round)).toEqual([50, 80, 128]);
  expect([10, 100, 10_000].map(middle)).toEqual([3000, 3000, 3000]);
  expect(reconnectDelayMs(1, () => 0)).toBe(40);
  expect(reconnectDelayMs(1, () => 0.9999)).toBeLessThan(60);
});

test("a majority is asked in one go before there is a pause", () => {
  const waits = (servers: number): number[] =>
    [1, 2, 3, 4].map((attempt) => retryDelayMs(attempt, servers, () => 0.5));
  expect(waits(1)).toEqual([25, 25, 25, 25]);
  expect(waits(3)).toEqual([0, 25, 0, 25]);
  expect(waits(5)).toEqual([0, 0, 25, 0]);
});

test("reads may be repeated, writes may not", () => {
  expect(isRepeatable("/etcdserverpb.KV/Range")).toBe(true);
  expect(isRepeatable("/etcdserverpb.Cluster/MemberList")).toBe(true);
  expect(isRepeatable("/etcdserverpb.KV/Txn")).toBe(false);
  expect(isRepeatable("/etcdserverpb.Lease/LeaseGrant")).toBe(false);
  expect(isUnavailable(new RpcError(GrpcStatus.unavailable, "x"))).toBe(true);
  expect(isUnavailable(new EtcdError("NO_LEADER"))).toBe(true);
  expect(isUnavailable(new EtcdError("COMPACTED"))).toBe(false);
  expect(isUnavailable(new Error("x"))).toBe(false);
  expect(isLearners(new EtcdError("NOT_SUPPORTED_FOR_LEARNER"))).toBe(true);
});

test.each([
  ["plain text", "plain text"],
  ["%e2%82%ac 5%", "€ 5%"],
  ["%", "%"],
  ["%4", "%4"],
  ["%zz%41", "%zzA"],
  ["%ff", "\ufffd"],
  [Buffer.from("größe").toString("latin1"), "größe"],
])("%j reads as %j", (text, decoded) => {
  expect(percentDecoded(text)).toBe(decoded);
});
