import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

const never = new AbortController().signal;

test("time stands still until it is wound, and a sleeper wakes at its own moment", async () => {
  const clock = new ManualClock(1000);
  const woke: string[] = [];
  const note = (name: string) => () => woke.push(`${name} at ${clock.nowMs()}`);
  const all = Promise.all([
    clock.sleep(50, never).then(note("late")),
    clock.sleep(20, never).then(note("early")),
    clock.sleep(50, never).then(note("later")),
    clock.sleep(0, never).then(note("now")),
  ]);
  expect([clock.nowMs(), clock.sleeping]).toEqual([1000, 4]);
  await clock.advance(19);
  expect(woke).toEqual(["now at 1000"]);
  await clock.advance(1);
  expect(woke).toEqual(["now at 1000", "early at 1020"]);
  await clock.advance(1000);
  await all;
  expect(woke.slice(2)).toEqual(["late at 1050", "later at 1050"]);
  expect([clock.nowMs(), clock.sleeping]).toEqual([2020, 0]);
});

test("a loop that sleeps 100 ms goes round ten times in a second", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const rounds: number[] = [];
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(100, stop.signal);
      rounds.push(clock.nowMs());
    }
  })();
  await clock.advance(1000);
  expect(rounds).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  stop.abort();
  await loop;
  expect(clock.sleeping).toBe(0);
});

test("an abort wakes at once and leaves nothing behind", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const sleeping = clock.sleep(60_000, stop.signal);
  stop.abort();
  await sleeping;
  await clock.sleep(60_000, stop.signal);
  expect([clock.nowMs(), clock.sleeping]).toEqual([0, 0]);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
});
