/** How often a copy is brought after those who write, and that it ends however fast they are. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../base/clock.ts";
import { type DefragHost, type DefragOutcome, defragmentOnline } from "./online-defrag.ts";
import type { Pin } from "./pins.ts";
import type { FreshCopy, Root } from "./storage.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

const ROOT: Root = {
  meta: { pageBytes: 4096, root: 3, sequence: 0n, freelist: 2, pgid: 1000, txid: 1 },
  space: { sizeBytes: 4_096_000, inUseBytes: 400_000, freeBytes: 3_696_000, pendingBytes: 0 },
};

/** @param roundMs  how long the nth catching up takes, from 1 on; the one of the swap included */
async function defragmented(
  roundMs: (round: number) => number,
): Promise<DefragOutcome & { readonly pins: number; readonly done: readonly string[] }> {
  const done: string[] = [];
  let round = 0;
  let pins = 0;
  const pass = async (what: string, ms: number): Promise<void> => {
    vi.advanceTimersByTime(ms);
    done.push(what);
  };
  const alone = async (work: () => Promise<unknown>): Promise<number> => {
    const beganMs = performance.now();
    await work();
    return performance.now() - beganMs;
  };
  const copy: FreshCopy = {
    assertRoom: () => undefined,
    measure: async () => 400_000,
    write: async () => 400_000,
    catchUp: async () => {
      await pass("catchUp", roundMs(++round));
      return 0;
    },
    prepare: () => pass("prepare", 1),
    swap: async () => {
      await pass("swap", roundMs(++round));
      return { ...ROOT, path: "db", lockedBy: "none", changes: 0, releaseOld: undefined };
    },
    discard: () => pass("discard", 0),
  };
  const host: DefragHost = {
    pin: (): Pin => {
      pins++;
      let isHeld = true;
      const release = (): void => {
        if (isHeld) pins--;
        isHeld = false;
      };
      return { root: ROOT, purpose: "test", sinceMs: 0, release };
    },
    freshCopy: () => copy,
    assertWorks: () => undefined,
    alone,
    swap: alone,
  };
  const { signal } = new AbortController();
  const outcome = await defragmentOnline(host, {
    force: false,
    signal,
    rateBytesPerSecond: undefined,
    clock: systemClock,
    report: () => undefined,
  });
  return { ...outcome, pins, done };
}

test("rounds that shrink go on until little is left, and that is the pause", async () => {
  const { longestPauseMs, rounds, pins } = await defragmented((round) => 4000 / 4 ** round);
  // 1000, 250, 62, 16; then the swap.
  expect(rounds).toBe(4 + 1);
  expect(longestPauseMs).toBeCloseTo(4000 / 4 ** 5);
  expect(pins).toBe(0);
});

test("who writes as fast as the copy follows is not followed for ever: the pause is a round, and is reported", async () => {
  const { longestPauseMs, rounds, done, refusal } = await defragmented(() => 5000);
  expect(refusal).toBeUndefined();
  expect(done).toEqual(["catchUp", "catchUp", "prepare", "swap"]);
  expect([rounds, longestPauseMs]).toEqual([3, 5000]);
});

test("rounds that shrink too slowly are bounded, too", async () => {
  const { rounds, done } = await defragmented((round) => 1_000_000 * 0.69 ** round);
  expect(rounds).toBe(12 + 1);
  expect(done.filter((what) => what === "catchUp")).toHaveLength(12);
  expect(done.at(-1)).toBe("swap");
});
