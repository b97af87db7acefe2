import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import type { EngineEvent } from "./log.ts";
import { forecastText, runSpaceWatch, type SpaceForecast } from "./space-watch.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A database of 1000 bytes of quota that grows as the test says. */
class Rig {
  readonly clock = new ManualClock();
  readonly stop = new AbortController();
  softLimit = 0.8;
  usedBytes = 0;
  quotaBytes = 1000;
  state: SpaceForecast | undefined;
  looks = 0;
  #events: EngineEvent[] = [];
  readonly ended: Promise<void>;

  constructor(usedBytes: number) {
    this.usedBytes = usedBytes;
    this.ended = runSpaceWatch(
      {
        clock: this.clock,
        log: (event) => this.#events.push(event),
        softLimit: () => this.softLimit,
        space: () => ({ usedBytes: this.usedBytes, quotaBytes: this.quotaBytes }),
        lookAgain: () => {
          this.looks++;
        },
        found: (state) => {
          this.state = state;
        },
      },
      this.stop.signal,
    );
  }

  /** @returns what was logged meanwhile */
  async pass(ms: number, bytesPerMinute = 0): Promise<EngineEvent[]> {
    for (let at = 0; at < ms; at += 10_000) {
      this.usedBytes += bytesPerMinute / 6;
      await this.clock.advance(10_000);
    }
    return this.#events.splice(0);
  }
}

test("it warns once the limit is passed, with a forecast, and again in the hour before it is full", async () => {
  const rig = new Rig(700);
  expect(await rig.pass(10 * MINUTE_MS, 1)).toEqual([]);
  expect(rig.state?.isAboveSoftLimit).toBe(false);
  expect((rig.state?.fullInMs ?? 0) / MINUTE_MS).toBeCloseTo(290);
  const passed = await rig.pass(92 * MINUTE_MS, 1);
  expect(passed).toEqual([
    {
      level: "warn",
      message:
        "the database has passed the soft limit of its quota: full in ~3 h at the present rate",
      fields: {
        "used-bytes": expect.closeTo(800, 0),
        "quota-bytes": 1000,
        "soft-limit": 0.8,
        share: 0.8,
      },
    },
  ]);
  expect(rig.state?.isAboveSoftLimit).toBe(true);
  const last = await rig.pass(200 * MINUTE_MS, 1);
  expect(last.map(({ message }) => /full in .*rate|it is full/.exec(message)?.[0])).toEqual([
    ...[60, 50, 40, 30, 20, 10].map((left) => `full in ~${left} min at the present rate`),
    "it is full",
  ]);
  rig.stop.abort();
  await rig.ended;
});

test("one that does not grow is told of four times a day, and that it is well again", async () => {
  const rig = new Rig(900);
  expect(await rig.pass(20_000)).toEqual([]);
  const [first, ...more] = await rig.pass(24 * HOUR_MS);
  expect(first?.message).toBe(
    "the database has passed the soft limit of its quota: it is not growing",
  );
  expect(more).toHaveLength(3);
  rig.usedBytes = 790;
  expect(await rig.pass(MINUTE_MS)).toEqual([]);
  rig.usedBytes = 700;
  expect(await rig.pass(MINUTE_MS)).toMatchObject([
    { level: "info", message: "the database is below the soft limit of its quota again" },
  ]);
  expect(rig.state).toEqual({ isAboveSoftLimit: false, fullInMs: Number.POSITIVE_INFINITY });
  rig.stop.abort();
  await rig.ended;
});

test("limit and quota may change meanwhile; without one of them nobody is warned", async () => {
  const rig = new Rig(900);
  rig.softLimit = 0;
  expect(await rig.pass(HOUR_MS)).toEqual([]);
  expect(rig.state).toBeUndefined();
  rig.softLimit = 0.5;
  rig.quotaBytes = Number.POSITIVE_INFINITY;
  expect(await rig.pass(HOUR_MS)).toEqual([]);
  rig.quotaBytes = 2000;
  expect(await rig.pass(HOUR_MS)).toEqual([]);
  rig.quotaBytes = 1000;
  expect(await rig.pass(HOUR_MS)).toHaveLength(1);
  rig.quotaBytes = 1100;
  expect(await rig.pass(HOUR_MS)).toHaveLength(1);
  rig.stop.abort();
  await rig.ended;
});

test("how long it will take, for people", () => {
  const texts = [0, 1000, 20 * MINUTE_MS, 3 * HOUR_MS, 80 * HOUR_MS, 1e15, Infinity].map(
    forecastText,
  );
  expect(texts).toEqual([
    "it is full",
    "full in about a minute at the present rate",
    "full in ~20 min at the present rate",
    "full in ~3 h at the present rate",
    "full in ~3 days at the present rate",
    "it is not growing",
    "it is not growing",
  ]);
});
