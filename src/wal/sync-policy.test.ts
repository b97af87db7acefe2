import { expect, test } from "vitest";
import { AdaptiveSyncPolicy, fixedSyncPolicy, type SyncPolicy } from "./sync-policy.ts";

/** Runs `count` syncs that take `ms` where the policy wants them; returns how many ran here. */
function run(policy: SyncPolicy, count: number, ms: (i: number) => number): number {
  let here = 0;
  for (let i = 0; i < count; i++) {
    const place = policy.choose(1);
    if (place === "here") here++;
    policy.took(place, ms(i));
  }
  return here;
}

test("begins beside, and comes here once the disk has shown that it is quick", () => {
  const policy = new AdaptiveSyncPolicy();
  expect(policy.choose()).toBe("beside");
  expect(run(policy, 1000, () => 0.1)).toBe(1000 - 16);
});

test("a slow disk never stops the loop", () => {
  expect(run(new AdaptiveSyncPolicy(), 5000, () => 4)).toBe(0);
});

test("one slow sync in a hundred is taken, two are not", () => {
  const policy = new AdaptiveSyncPolicy();
  run(policy, 16, () => 0.1);
  expect(run(policy, 10_000, (i) => (i % 100 === 50 ? 5 : 0.1))).toBe(10_000);
  expect(run(policy, 500, (i) => (i % 50 === 0 ? 5 : 0.1))).toBeLessThan(400);
  expect(policy.choose()).toBe("beside");
});

test("three slow ones in a row are nothing; a disk that becomes slow is left after five", () => {
  const policy = new AdaptiveSyncPolicy();
  run(policy, 16, () => 0.1);
  expect(run(policy, 9000, (i) => (i % 600 < 3 ? 5 : 0.1))).toBe(9000);
  expect(run(policy, 100, () => 5)).toBe(5);
});

test("each disappointment keeps it away for longer", () => {
  const policy = new AdaptiveSyncPolicy();
  // The pool is quick, and here is not: so it tries, and leaves after five.
  let here = 0;
  for (let i = 0; i < 100_000; i++) {
    const place = policy.choose();
    if (place === "here") here++;
    policy.took(place, place === "here" ? 2 : 0.1);
  }
  expect(here).toBeLessThan(50);
});

test("who has better things to do waits beside, and that is not held against the disk", () => {
  let busy = false;
  const policy = new AdaptiveSyncPolicy({ limitMs: 1, quiet: () => !busy });
  run(policy, 20, () => 0.5);
  expect(policy.choose()).toBe("here");
  busy = true;
  expect(run(policy, 50, () => 9)).toBe(0);
  busy = false;
  expect(policy.choose()).toBe("here");
});

test("a fixed one is fixed", () => {
  expect(run(fixedSyncPolicy("here"), 10, () => 100)).toBe(10);
  expect(run(fixedSyncPolicy("beside"), 10, () => 0)).toBe(0);
});
