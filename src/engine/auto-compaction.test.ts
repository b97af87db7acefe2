import { expect, test } from "vitest";
import { EtcdError } from "../base/errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import {
  type AutoCompactionOptions,
  parseAutoCompaction,
  runAutoCompaction,
} from "./auto-compaction.ts";
import type { EngineEvent } from "./log.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A store whose revision the test sets, and which notes what is compacted, and when. */
class Rig {
  readonly clock = new ManualClock(1_000_000);
  readonly compactions: { readonly revision: number; readonly atMs: number }[] = [];
  readonly lines: EngineEvent[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  revision = 1;
  failure: Error | undefined;

  constructor(options: AutoCompactionOptions) {
    const startMs = this.clock.nowMs();
    const host = {
      clock: this.clock,
      log: (line: EngineEvent) => void this.lines.push(line),
      currentRevision: () => this.revision,
      compact: async (revision: number) => {
        this.compactions.push({ revision, atMs: this.clock.nowMs() - startMs });
        if (this.failure !== undefined) throw this.failure;
      },
    };
    this.#done = runAutoCompaction(options, host, this.#stop.signal);
  }

  /** Winds the clock on in steps; one revision more before each. */
  async pass(steps: number, stepMs: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      this.revision++;
      await this.clock.advance(stepMs);
    }
  }

  stop(): Promise<void> {
    this.#stop.abort();
    return this.#done;
  }
}

test("an hour: nothing in the first one, then each hour to what was an hour before", async () => {
  const rig = new Rig({ mode: "periodic", periodMs: HOUR_MS });
  await rig.pass(9, 6 * MINUTE_MS);
  expect(rig.compactions).toEqual([]);
  await rig.pass(21, 6 * MINUTE_MS);
  // Samples 1, 3 … are taken before the step's write: the first at revision 1, then one for each six minutes.
  expect(rig.compactions.map(({ atMs }) => atMs / HOUR_MS)).toEqual([1, 2, 3]);
  const [first, second, third] = rig.compactions.map(({ revision }) => revision);
  expect([(second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0)]).toEqual([9, 10]);
  await rig.stop();
});

test("ten minutes: each ten minutes", async () => {
  const rig = new Rig({ mode: "periodic", periodMs: 10 * MINUTE_MS });
  await rig.pass(45, MINUTE_MS);
  expect(rig.compactions.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([10, 20, 30, 40]);
  await rig.stop();
});

test("a day: nothing in the first one, then each hour to what was a day before", async () => {
  const rig = new Rig({ mode: "periodic", periodMs: 24 * HOUR_MS });
  await rig.pass(240 + 30, 6 * MINUTE_MS);
  expect(rig.compactions.map(({ atMs }) => atMs / HOUR_MS)).toEqual([24, 25, 26, 27]);
  const [, second, third, fourth] = rig.compactions.map(({ revision }) => revision);
  expect([(third ?? 0) - (second ?? 0), (fourth ?? 0) - (third ?? 0)]).toEqual([10, 10]);
  expect(second).toBeLessThan(rig.revision - 239);
  await rig.stop();
});

test("without writes there is one compaction and no more", async () => {
  const rig = new Rig({ mode: "periodic", periodMs: 1000 });
  await rig.clock.advance(10_000);
  expect(rig.compactions).toEqual([{ revision: 1, atMs: 1000 }]);
  await rig.stop();
});

test("one that fails is tried again at the next sample, with what is oldest then", async () => {
  const rig = new Rig({ mode: "periodic", periodMs: 10 * MINUTE_MS });
  rig.failure = new Error("no disk");
  await rig.pass(13, MINUTE_MS);
  expect(rig.compactions.map(({ atMs }) => atMs / MINUTE_MS)).toEqual([10, 11, 12, 13]);
  rig.failure = undefined;
  await rig.pass(12, MINUTE_MS);
  expect(rig.compactions.slice(4).map(({ atMs }) => atMs / MINUTE_MS)).toEqual([14, 24]);
  expect(rig.lines.filter(({ level }) => level === "warn")[0]).toEqual({
    level: "warn",
    message: "failed auto periodic compaction",
    fields: {
      revision: 1,
      "compact-period": "10m0s",
      "retry-interval": "1m0s",
      error: "no disk",
    },
  });
  await rig.stop();
});

test("what somebody else has compacted counts as done", async () => {
  const rig = new Rig({ mode: "periodic", periodMs: MINUTE_MS });
  rig.failure = new EtcdError("COMPACTED");
  await rig.pass(19, 6000);
  expect(rig.compactions.length).toBe(1);
  expect(rig.lines.map(({ message }) => message)).toEqual([
    "starting auto periodic compaction",
    "completed auto periodic compaction",
  ]);
  await rig.stop();
});

test("by revision: every five minutes, all but the last so many", async () => {
  const rig = new Rig({ mode: "revision", revisions: 100 });
  rig.revision = 100;
  await rig.clock.advance(5 * MINUTE_MS);
  expect(rig.compactions).toEqual([]);
  rig.revision = 250;
  await rig.clock.advance(4 * MINUTE_MS);
  expect(rig.compactions).toEqual([]);
  await rig.clock.advance(11 * MINUTE_MS);
  expect(rig.compactions).toEqual([{ revision: 150, atMs: 10 * MINUTE_MS }]);
  rig.revision = 260;
  rig.failure = new Error("no");
  await rig.clock.advance(10 * MINUTE_MS);
  expect(rig.compactions.slice(1).map(({ revision }) => revision)).toEqual([160, 160]);
  expect(rig.lines[1]).toEqual({
    level: "info",
    message: "completed auto revision compaction",
    fields: { revision: 150, "revision-compaction-retention": 100, took: "0s" },
  });
  await rig.stop();
});

test("it ends when it is told to, in the middle of a sleep", async () => {
  const rig = new Rig({ mode: "revision", revisions: 1 });
  await rig.clock.advance(1);
  await rig.stop();
  expect(rig.clock.sleeping).toBe(0);
});

test("retention is hours or revisions, or a duration", () => {
  expect(parseAutoCompaction("periodic", "0")).toBeUndefined();
  expect(parseAutoCompaction("revision", "0")).toBeUndefined();
  expect(parseAutoCompaction("periodic", "0s")).toBeUndefined();
  expect(parseAutoCompaction("periodic", "1")).toEqual({ mode: "periodic", periodMs: HOUR_MS });
  expect(parseAutoCompaction("periodic", "5m")).toEqual({
    mode: "periodic",
    periodMs: 5 * MINUTE_MS,
  });
  expect(parseAutoCompaction("revision", "1000")).toEqual({ mode: "revision", revisions: 1000 });
  expect(parseAutoCompaction("revision", "1s")).toEqual({ mode: "revision", revisions: 1e9 });
});

test("retention that is none is refused in etcd's words", () => {
  for (const [text, words] of [
    ["abc", 'error parsing CompactionRetention: time: invalid duration "abc"'],
    ["", 'error parsing CompactionRetention: time: invalid duration ""'],
    ["-5", 'error parsing CompactionRetention: time: missing unit in duration "-5"'],
    ["-5m", 'error parsing CompactionRetention: time: invalid duration "-5m"'],
  ] as const) {
    expect(() => parseAutoCompaction("periodic", text), text).toThrow(words);
  }
});
