import { getEventListeners } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("the system clock moves on by what was slept, and is near the wall clock", async () => {
  const before = systemClock.nowMs();
  expect(Math.abs(before - Date.now())).toBeLessThan(60_000);
  await systemClock.sleep(30, new AbortController().signal);
  expect(systemClock.nowMs() - before).toBeGreaterThanOrEqual(28); // Timers round down to a millisecond.
});

test("an abort ends a sleep early, resolved, and leaves no listener on the signal", async () => {
  const stop = new AbortController();
  const before = systemClock.nowMs();
  const sleeping = systemClock.sleep(60_000, stop.signal);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(1);
  stop.abort();
  await sleeping;
  await systemClock.sleep(60_000, stop.signal);
  expect(systemClock.nowMs() - before).toBeLessThan(5_000);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);

  const calm = new AbortController();
  await systemClock.sleep(0, calm.signal);
  await systemClock.sleep(-5, calm.signal);
  expect(getEventListeners(calm.signal, "abort")).toHaveLength(0);
});

test("a sleep longer than a timer can be is slept in full", async () => {
  vi.useFakeTimers();
  const days60 = 60 * 24 * 3600 * 1000;
  let woke = false;
  const sleeping = systemClock.sleep(days60, new AbortController().signal).then(() => {
    woke = true;
  });
  await vi.advanceTimersByTimeAsync(days60 - 1);
  expect(woke).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await sleeping;
  expect(woke).toBe(true);
});
