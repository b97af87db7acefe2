import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines, type Timed } from "./deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function timed(inMs: number, expired: () => void = () => {}): Timed & { deadlineMs: number } {
  return {
    deadlineMs: performance.now() + inMs,
    earlier: undefined,
    later: undefined,
    slot: -1,
    expired,
  };
}

test("each passes at its time, never early, and a little late at most", () => {
  const deadlines = new Deadlines();
  const start = performance.now();
  const lateness: number[] = [];
  const delays = [0, 1, 15, 16, 17, 100, 4090, 4096, 4100, 9000, 60_000];
  for (const delay of delays) {
    const one = timed(delay, () => lateness.push(performance.now() - start - delay));
    deadlines.add(one, one.deadlineMs);
  }
  vi.advanceTimersByTime(61_000);
  expect(lateness).toHaveLength(delays.length);
  for (const late of lateness) {
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(40);
  }
  expect(deadlines.size).toBe(0);
});

test("what was taken away does not pass, and the timer stops when nothing is left", () => {
  const deadlines = new Deadlines();
  const passed = vi.fn();
  const all = Array.from({ length: 1000 }, (_, i) => timed(50 + (i % 7) * 16, passed));
  for (const one of all) deadlines.add(one, one.deadlineMs);
  all.forEach((one, i) => {
    if (i % 10 !== 3) deadlines.remove(one);
  });
  const [first] = all;
  if (first !== undefined) deadlines.remove(first);
  expect(deadlines.size).toBe(100);
  vi.advanceTimersByTime(1000);
  expect(passed).toHaveBeenCalledTimes(100);
  expect(vi.getTimerCount()).toBe(0);
});

test("a deadline that takes another away with it", () => {
  const deadlines = new Deadlines();
  const passed: string[] = [];
  const a = timed(50, () => {
    passed.push("a");
    deadlines.remove(b);
  });
  const b = timed(50, () => {
    passed.push("b");
    deadlines.remove(a);
  });
  deadlines.add(a, a.deadlineMs);
  deadlines.add(b, b.deadlineMs);
  vi.advanceTimersByTime(200);
  expect(passed).toHaveLength(1);
  expect(deadlines.size).toBe(0);
});

test("a loop that stood still for longer than the wheel turns", () => {
  const deadlines = new Deadlines();
  const passed = vi.fn();
  for (const delay of [100, 3000, 9000]) {
    const one = timed(delay, passed);
    deadlines.add(one, one.deadlineMs);
  }
  const real = performance.now.bind(performance);
  const ahead = vi.spyOn(performance, "now").mockImplementation(() => real() + 20_000);
  vi.advanceTimersByTime(20);
  expect(passed).toHaveBeenCalledTimes(3);
  ahead.mockRestore();
});
