import { expect, test } from "vitest";
import { SilenceVigil, StallVigil } from "./vigil.ts";

test("silence: a ping after the interval, gone after the timeout", () => {
  const vigil = new SilenceVigil({ keepaliveIntervalMs: 100, keepaliveTimeoutMs: 20 });
  vigil.heard();
  expect([0, 50, 100, 101, 110, 121, 122].map((nowMs) => vigil.look(nowMs))).toEqual([
    "well",
    "well",
    "well",
    "ping",
    "well",
    "well",
    "gone",
  ]);
});

test("silence: whatever comes ends it", () => {
  const vigil = new SilenceVigil({ keepaliveIntervalMs: 100, keepaliveTimeoutMs: 20 });
  expect([0, 150].map((nowMs) => vigil.look(nowMs))).toEqual(["well", "ping"]);
  vigil.heard();
  expect([200, 290, 301].map((nowMs) => vigil.look(nowMs))).toEqual(["well", "well", "ping"]);
});

test("silence: with no interval nobody is asked", () => {
  const vigil = new SilenceVigil({ keepaliveIntervalMs: 0, keepaliveTimeoutMs: 20 });
  expect([0, 1e9, 2e9].map((nowMs) => vigil.look(nowMs))).toEqual(["well", "well", "well"]);
});

test("stall: only while too much waits, and nothing is taken", () => {
  const vigil = new StallVigil({ stallTimeoutMs: 100 });
  expect(vigil.look(0, false, 5)).toBe("well");
  expect(vigil.look(500, true, 5)).toBe("gone");
  expect(vigil.look(600, true, 6)).toBe("well");
  expect(vigil.look(700, true, 6)).toBe("well");
  expect(vigil.look(701, true, 6)).toBe("gone");
  expect(vigil.look(702, false, 6)).toBe("well");
});
