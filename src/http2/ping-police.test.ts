import { expect, test } from "vitest";
import { PingPolice } from "./ping-police.ts";

const HOUR_MS = 3_600_000;

function verdicts(
  options: { keepaliveMinTimeMs: number; keepaliveWithoutStream: boolean },
  times: readonly number[],
  hasStreams: boolean,
): boolean[] {
  const police = new PingPolice(options);
  return times.map((nowMs) => police.allows(nowMs, hasStreams));
}

const ETCD = { keepaliveMinTimeMs: 5000, keepaliveWithoutStream: false };

test("with a stream open, every five seconds", () => {
  expect(verdicts(ETCD, [0, 5000, 10_000, 15_000, 20_000], true)).not.toContain(false);
  expect(verdicts(ETCD, [0, 4999, 9998, 14_997], true)).toEqual([true, true, true, false]);
});

test("without one, every two hours", () => {
  expect(verdicts(ETCD, [0, 10_000, 20_000, 30_000], false)).toEqual([true, true, true, false]);
  const hours = [0, 2, 4, 6, 8].map((hour) => hour * HOUR_MS);
  expect(verdicts(ETCD, hours, false)).not.toContain(false);
});

test("unless that is allowed", () => {
  const options = { ...ETCD, keepaliveWithoutStream: true };
  expect(verdicts(options, [0, 5000, 10_000, 15_000], false)).not.toContain(false);
});

test("with no least time, whenever", () => {
  const options = { ...ETCD, keepaliveMinTimeMs: 0 };
  expect(
    verdicts(
      options,
      Array.from({ length: 50 }, () => 0),
      false,
    ),
  ).not.toContain(false);
});

test("what we send in between forgives all", () => {
  const police = new PingPolice(ETCD);
  for (let nowMs = 0; nowMs < 100; nowMs++) {
    expect(police.allows(nowMs, true)).toBe(true);
    if (nowMs % 2 === 0) police.spoke();
  }
});
