import { expect, test } from "vitest";
import { StrataError } from "../base/errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { type AutoDefragWish, parseAutoDefrag, runAutoDefrag } from "./auto-defrag.ts";
import { AutoDefragCounts } from "./auto-defrag-counts.ts";
import type { DefragOptions, DefragReport } from "./defragmentation.ts";
import type { EngineEvent } from "./log.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const MIB = 1024 ** 2;

const RULE = "dbSizeFree > 200MiB && dbQuotaUsage > 0.5";

/** A store whose sizes the test sets, and which notes what is asked of it, and when. Its clocks begin at midnight. */
class Rig {
  readonly clock = new ManualClock();
  readonly counts = new AutoDefragCounts();
  readonly lines: EngineEvent[] = [];
  readonly runs: { readonly atMs: number; readonly options: DefragOptions }[] = [];
  readonly settings;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  sizeBytes = 0;
  inUseBytes = 0;
  quotaBytes = 1000 * MIB;
  ready = true;
  takesMs = 0;
  answer: "done" | "refused" | Error = "done";

  constructor(wish: AutoDefragWish) {
    this.settings = { current: parseAutoDefrag(wish) };
    const host = {
      clock: this.clock,
      log: (line: EngineEvent) => void this.lines.push(line),
      counts: this.counts,
      now: () => new Date(this.clock.nowMs()),
      sizes: () => ({
        dbSize: this.sizeBytes,
        dbSizeInUse: this.inUseBytes,
        dbSizeFree: this.sizeBytes - this.inUseBytes,
        dbQuota: this.quotaBytes,
        dbQuotaUsage: this.sizeBytes / this.quotaBytes,
      }),
      isReady: () => this.ready,
      defragment: (options: DefragOptions) => this.#defragment(options),
    };
    this.#done = runAutoDefrag(this.settings, host, this.#stop.signal);
  }

  /** There is something to gain. */
  grow(): void {
    this.sizeBytes = 900 * MIB;
    this.inUseBytes = 600 * MIB;
  }

  async #defragment(options: DefragOptions): Promise<DefragReport> {
    this.runs.push({ atMs: this.clock.nowMs(), options });
    if (this.takesMs > 0) {
      await this.clock.sleep(this.takesMs, options.signal as AbortSignal);
      options.signal?.throwIfAborted();
    }
    if (this.answer instanceof Error) throw this.answer;
    const sizeBeforeBytes = this.sizeBytes;
    if (this.answer === "done") this.sizeBytes = this.inUseBytes;
    return {
      outcome: this.answer,
      reason: this.answer === "done" ? undefined : "only 3 % are free",
      sizeBeforeBytes,
      sizeAfterBytes: this.sizeBytes,
      tookMs: 1234.5,
      longestPauseMs: 17.3,
      rounds: 2,
    };
  }

  /** What the log says, without sizes. */
  said(): string[] {
    return this.lines.map(({ level, message }) => `${level}: ${message}`);
  }

  counted(): Record<string, number> {
    return Object.fromEntries([...this.counts.byOutcome].filter(([, count]) => count > 0));
  }

  stop(): Promise<void> {
    this.#stop.abort(new StrataError("CLOSED", "the store is closed"));
    return this.#done;
  }
}

test("a rule that holds is followed within a second, with its rate, and told in one line", async () => {
  const rig = new Rig({ rule: RULE, rateBytesPerSecond: 5 * MIB });
  await rig.clock.advance(HOUR_MS);
  expect([rig.runs, rig.lines]).toEqual([[], []]);
  rig.grow();
  await rig.clock.advance(SECOND_MS);
  expect(rig.runs.map(({ atMs }) => atMs)).toEqual([HOUR_MS + SECOND_MS]);
  const { about, rateBytesPerSecond } = rig.runs[0]?.options ?? {};
  expect([about, rateBytesPerSecond]).toEqual([`auto-defrag: ${RULE}`, 5 * MIB]);
  expect(rig.lines).toEqual([
    {
      level: "info",
      message: "auto-defrag: defragmented",
      fields: {
        rule: RULE,
        sizeBytes: 900 * MIB,
        inUseBytes: 600 * MIB,
        sizeAfterBytes: 600 * MIB,
        tookMs: 1235,
        longestPauseMs: 17,
        rounds: 2,
      },
    },
  ]);
  expect(rig.counted()).toEqual({ done: 1 });
  await rig.stop();
});

test("the next one waits for the minimum interval, which is told once", async () => {
  const rig = new Rig({ rule: RULE, minIntervalMs: 30 * MINUTE_MS });
  rig.takesMs = 10 * MINUTE_MS;
  rig.grow();
  await rig.clock.advance(SECOND_MS + rig.takesMs);
  rig.takesMs = 0;
  rig.grow();
  await rig.clock.advance(20 * MINUTE_MS);
  rig.sizeBytes = rig.inUseBytes;
  await rig.clock.advance(MINUTE_MS);
  rig.grow();
  await rig.clock.advance(20 * MINUTE_MS);
  const [first = 0, second = 0, ...more] = rig.runs.map(({ atMs }) => atMs);
  expect([second - first, more]).toEqual([40 * MINUTE_MS, []]);
  expect(rig.said()).toEqual([
    "info: auto-defrag: defragmented",
    "info: auto-defrag waits: the last one was a short while ago",
    "info: auto-defrag: defragmented",
  ]);
  expect(rig.lines[1]?.fields).toMatchObject({ "min-interval": "30m0s", left: "29m59s" });
  expect(rig.counted()).toEqual({ done: 2, "min-interval": 1 });
  await rig.stop();
});

test("none begins in quiet hours, which is told once a time; one that runs into them goes on", async () => {
  const rig = new Rig({ rule: RULE, quietHours: "00:10-00:20,00:30-00:40 UTC", minIntervalMs: 0 });
  await rig.clock.advance(11 * MINUTE_MS);
  rig.grow();
  await rig.clock.advance(8 * MINUTE_MS);
  expect([rig.runs.length, rig.said()]).toEqual([
    0,
    ["info: auto-defrag waits: it is one of the quiet hours"],
  ]);
  expect(rig.lines[0]?.fields).toMatchObject({ "quiet-hours": "00:10-00:20,00:30-00:40 UTC" });
  await rig.clock.advance(MINUTE_MS);
  expect(rig.runs.map(({ atMs }) => atMs)).toEqual([20 * MINUTE_MS]);
  await rig.clock.advance(9 * MINUTE_MS);
  rig.takesMs = 2 * MINUTE_MS;
  rig.grow();
  await rig.clock.advance(2 * MINUTE_MS + SECOND_MS);
  rig.grow();
  await rig.clock.advance(MINUTE_MS);
  expect(rig.said().slice(1)).toEqual([
    "info: auto-defrag: defragmented",
    "info: auto-defrag: defragmented",
    "info: auto-defrag waits: it is one of the quiet hours",
  ]);
  expect(rig.counted()).toEqual({ done: 2, "quiet-hours": 2 });
  await rig.stop();
});

test("what fails is tried again later and later, and told once", async () => {
  const rig = new Rig({ rule: RULE });
  rig.answer = new StrataError("NO_DISK", "600 MB are needed and 100 MB are free");
  rig.grow();
  await rig.clock.advance(2 * HOUR_MS + 5 * MINUTE_MS);
  const gaps = rig.runs
    .slice(1)
    .map(({ atMs }, i) => (atMs - (rig.runs[i]?.atMs ?? 0)) / MINUTE_MS);
  expect(gaps).toEqual([1, 2, 4, 8, 16, 32, 60]);
  expect(rig.said()).toEqual(["warn: auto-defrag: the disk has not enough room for it"]);
  expect(rig.lines[0]?.fields).toMatchObject({
    reason: "600 MB are needed and 100 MB are free",
    "retry-interval": "1m0s",
  });
  expect(rig.counted()).toEqual({ "no-disk": 8 });
  rig.answer = "refused";
  await rig.clock.advance(HOUR_MS);
  expect(rig.said().slice(1)).toEqual(["info: auto-defrag: nothing would be gained"]);
  rig.answer = "done";
  while (rig.counts.byOutcome.get("done") === 0) await rig.clock.advance(MINUTE_MS);
  expect(rig.counted()).toEqual({ "no-disk": 8, "no-gain": 1, done: 1 });
  // And then a failure is news again, and the first one soon tried again.
  rig.answer = new StrataError("LOCKED", "another process defragments it");
  rig.grow();
  await rig.clock.advance(HOUR_MS + 90 * SECOND_MS);
  expect(rig.counted()).toMatchObject({ failed: 2 });
  expect(rig.lines.at(-1)).toMatchObject({ level: "warn", message: "auto-defrag: failed" });
  await rig.stop();
});

test("a failure is news again once the rule has not held for a while", async () => {
  const rig = new Rig({ rule: RULE });
  rig.answer = "refused";
  for (let i = 0; i < 2; i++) {
    rig.grow();
    await rig.clock.advance(SECOND_MS);
    rig.sizeBytes = rig.inUseBytes;
    await rig.clock.advance(2 * MINUTE_MS);
  }
  expect(rig.said()).toEqual(Array(2).fill("info: auto-defrag: nothing would be gained"));
  await rig.stop();
});

test("one that somebody cancels is followed by none before the interval is over", async () => {
  const rig = new Rig({ rule: RULE, minIntervalMs: 20 * MINUTE_MS });
  rig.answer = new StrataError("CANCELED", "job 7 (defragmentation) was cancelled");
  rig.grow();
  await rig.clock.advance(19 * MINUTE_MS);
  expect(rig.runs.length).toBe(1);
  expect(rig.said()).toEqual([
    "info: auto-defrag: was cancelled",
    "info: auto-defrag waits: the last one was a short while ago",
  ]);
  await rig.stop();
});

test("it waits in silence for a compaction, and can be changed and turned off as it runs", async () => {
  const rig = new Rig({ rule: "off" });
  rig.grow();
  await rig.clock.advance(MINUTE_MS);
  rig.settings.current = parseAutoDefrag({ rule: RULE, minIntervalMs: 0 });
  rig.ready = false;
  await rig.clock.advance(MINUTE_MS);
  expect([rig.runs, rig.lines]).toEqual([[], []]);
  rig.ready = true;
  await rig.clock.advance(SECOND_MS);
  expect(rig.runs.length).toBe(1);
  rig.grow();
  rig.settings.current = parseAutoDefrag({ rule: " " });
  await rig.clock.advance(MINUTE_MS);
  expect(rig.runs.length).toBe(1);
  await rig.stop();
});

test("its end interrupts one, and says nothing of it", async () => {
  const rig = new Rig({ rule: RULE });
  rig.takesMs = HOUR_MS;
  rig.grow();
  await rig.clock.advance(MINUTE_MS);
  await rig.stop();
  expect([rig.runs.length, rig.lines, rig.clock.sleeping, rig.counted()]).toEqual([1, [], 0, {}]);
});

test.each<[AutoDefragWish, string]>([
  [{ rule: "dbSize >" }, "column 9: a number or a name was expected, not the end"],
  [{ rule: "", quietHours: "8-18" }, '"8-18" is no span such as 08:00-18:30'],
  [
    { rule: RULE, minIntervalMs: -1 },
    "autoDefrag: minIntervalMs -1 or rateBytesPerSecond 33554432 is no number from 0 on",
  ],
  [
    { rule: RULE, rateBytesPerSecond: Number.NaN },
    "autoDefrag: minIntervalMs 3600000 or rateBytesPerSecond NaN is no number from 0 on",
  ],
])("%j is refused: %s", (wish, message) => {
  expect(() => parseAutoDefrag(wish)).toThrow(new StrataError("BAD_ARGUMENT", message));
});
