import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { takeAll, WatchRig } from "../../../test/support/watch-rig.ts";
import type { Clock } from "../../base/clock.ts";
import { StrataError } from "../../base/errors.ts";
import { decodeKeyValue } from "../key-value.ts";
import type { WatchBatch } from "./watch-event.ts";

const ALL = { start: "\0", end: "\0" } as const;
const nothing = (): void => {};

test("a live watcher gets each revision of its keys in one batch, with its events in order", () => {
  const { store, hub } = new WatchRig({ puts: 3 });
  const one = hub.watch({ start: "b", end: "" }, nothing);
  const range = hub.watch({ start: "a", end: "c" }, nothing);
  const from = hub.watch({ start: "b", end: "\0" }, nothing);
  store.transact([
    ["put", "c", "1"],
    ["put", "b", "1"],
    ["put", "a", "1"],
  ]);
  store.put("b", "2");
  store.delete("b");
  expect(takeAll(one)).toEqual(["events@5 put b@5", "events@6 put b@6", "events@7 delete b@7"]);
  expect(takeAll(range)[0]).toBe("events@5 put b@5 put a@5");
  expect(takeAll(from)[0]).toBe("events@5 put c@5 put b@5");
});

test("a wake comes once until something is taken", () => {
  const { store, hub } = new WatchRig();
  let wakes = 0;
  const watch = hub.watch(ALL, () => wakes++);
  store.put("a", "1");
  store.put("a", "2");
  expect(wakes).toBe(1);
  watch.take();
  store.put("a", "3");
  expect(wakes).toBe(2);
  expect(takeAll(watch)).toEqual(["events@3 put a@3", "events@4 put a@4"]);
  expect(wakes).toBe(2);
});

test("a consumer may watch, write and cancel while it is called back", () => {
  const { store, hub } = new WatchRig();
  const lines: string[] = [];
  const second = hub.watch(ALL, nothing);
  const first = hub.watch({ start: "a", end: "" }, () => {
    lines.push(...takeAll(first));
    second.cancel();
    const third = hub.watch(ALL, () => lines.push(...takeAll(third)));
    store.put("b", "1");
  });
  store.put("a", "1");
  expect(lines).toEqual(["events@2 put a@2", "events@3 put b@3"]);
  expect(takeAll(second)).toEqual([]);
});

test("history comes first, then what is live, with the header of the time it was read", () => {
  const rig = new WatchRig({ puts: 20 });
  const watch = rig.hub.watch({ start: "k3", end: "k5", startRevision: 6 }, nothing);
  expect(takeAll(watch)).toEqual([]);
  rig.settle();
  rig.store.put("k3", "x");
  expect(takeAll(watch)).toEqual(["events@21 put k4@6 put k3@15 put k4@16", "events@22 put k3@22"]);
});

test("history comes in batches of at most 1000 revisions", () => {
  const rig = new WatchRig({ puts: 2500 });
  const watch = rig.hub.watch({ ...ALL, startRevision: 1 }, nothing);
  rig.settle();
  const sizes: number[] = [];
  for (let batch = watch.take(); batch !== undefined; batch = watch.take()) {
    if (batch.kind === "events") sizes.push(batch.events.length);
  }
  expect(sizes).toEqual([1000, 1000, 500]);
});

test("filters leave no empty batch, live or from history", () => {
  const rig = new WatchRig();
  rig.store.put("a", "1");
  rig.store.delete("a");
  const deletes = rig.hub.watch({ ...ALL, startRevision: 1, noPut: true }, nothing);
  const puts = rig.hub.watch({ ...ALL, startRevision: 1, noDelete: true }, nothing);
  const none = rig.hub.watch({ ...ALL, startRevision: 1, noDelete: true, noPut: true }, nothing);
  rig.settle();
  rig.store.put("b", "1");
  rig.store.delete("b");
  expect(takeAll(deletes)).toEqual(["events@3 delete a@3", "events@5 delete b@5"]);
  expect(takeAll(puts)).toEqual(["events@3 put a@2", "events@4 put b@4"]);
  expect(takeAll(none)).toEqual([]);
});

test("the event of a delete has the key and mod_revision, and nothing else", () => {
  const { store, hub } = new WatchRig();
  store.put("a", "1");
  const watch = hub.watch({ start: "a", end: "" }, nothing);
  store.delete("a");
  const batch = watch.take() as Extract<WatchBatch, { kind: "events" }>;
  expect(decodeKeyValue(batch.events[0]?.kv ?? new Uint8Array(0))).toEqual({
    key: Uint8Array.of(0x61),
    createRevision: 0n,
    modRevision: 3n,
    version: 0n,
    value: new Uint8Array(0),
    lease: 0n,
  });
});

test("the pair before is that before the transaction, and none of a first version", () => {
  const rig = new WatchRig();
  const live = rig.hub.watch({ ...ALL, prevKv: true }, nothing);
  rig.store.put("a", "1");
  rig.store.put("a", "2");
  rig.store.transact([
    ["delete", "a"],
    ["put", "a", "3"],
  ]);
  rig.store.delete("a");
  rig.store.put("a", "4");
  const behind = rig.hub.watch({ ...ALL, prevKv: true, startRevision: 1 }, nothing);
  rig.settle();
  const events = ["put a@2", "put a@3 (was 2)", "put a@4 (was 3)", "delete a@5 (was 4)", "put a@6"];
  expect(takeAll(live)).toEqual(events.map((event, i) => `events@${i + 2} ${event}`));
  expect(takeAll(behind)).toEqual([`events@6 ${events.join(" ")}`]);
});

test("the pair before is left out where it is compacted", () => {
  const rig = new WatchRig();
  for (const value of ["1", "2", "3"]) rig.store.put("a", value);
  rig.store.compact(3);
  rig.store.endCompaction();
  const watch = rig.hub.watch({ ...ALL, prevKv: true, startRevision: 3 }, nothing);
  rig.settle();
  expect(takeAll(watch)).toEqual(["events@4 put a@3 put a@4 (was 3)"]);
});

test("a slow consumer's queue is bounded, and it loses nothing", () => {
  const rig = new WatchRig();
  const limits = { maxBufferedBytes: 1e6, maxBufferedEvents: 3 };
  const watch = rig.hub.watch(ALL, nothing, limits);
  for (let i = 0; i < 10; i++) rig.store.put(`a${i}`, "1");
  expect(watch.watcher.stream.bufferedEvents).toBe(3);
  expect(rig.hub.slowWatchers).toBe(1);
  const mains: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (let batch = watch.take(); batch !== undefined; batch = watch.take()) {
      if (batch.kind === "events") mains.push(...batch.events.map((event) => event.modRevision));
    }
    rig.settle();
    expect(watch.watcher.stream.bufferedEvents).toBeLessThanOrEqual(3);
  }
  expect(mains).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(rig.hub.slowWatchers).toBe(0);
});

test("a revision larger than the bounds is handed out alone, live and from history", () => {
  const rig = new WatchRig();
  const limits = { maxBufferedBytes: 10, maxBufferedEvents: 1 };
  const watch = rig.hub.watch(ALL, nothing, limits);
  const large = (): number =>
    rig.store.transact([
      ["put", "a", "x".repeat(100)],
      ["put", "b", "x"],
    ]);
  large();
  large();
  large();
  expect(takeAll(watch)).toEqual(["events@2 put a@2 put b@2"]);
  rig.settle();
  expect(takeAll(watch)).toEqual(["events@4 put a@3 put b@3"]);
  rig.settle();
  expect(takeAll(watch)).toEqual(["events@4 put a@4 put b@4"]);
});

test("beside a busy watcher of its stream a slow one does not starve", () => {
  const rig = new WatchRig({ puts: 200 });
  const limits = { maxBufferedBytes: 1e6, maxBufferedEvents: 4 };
  const stream = rig.hub.stream(nothing, limits);
  const quiet = stream.watch({ start: "k7", end: "", startRevision: 1 });
  stream.watch({ start: "busy", end: "", startRevision: 1 });
  let seen = 0;
  for (let round = 0; round < 100 && seen < 20; round++) {
    for (let i = 0; i < 5; i++) rig.store.put("busy", `${round}`);
    for (let i = 0; i < 2; i++) {
      const batch = stream.take();
      if (batch?.kind === "events" && batch.watcher === quiet) seen += batch.events.length;
    }
    rig.slice();
  }
  expect(seen).toBe(20);
});

test("an unreadable history ends the watchers that need it, and no write", () => {
  const rig = new WatchRig({ puts: 10 });
  const behind = rig.hub.watch({ ...ALL, startRevision: 1 }, nothing);
  const single = rig.hub.watch({ start: "k1", end: "", startRevision: 1 }, nothing);
  const live = rig.hub.watch(ALL, nothing);
  const withPrev = rig.hub.watch({ ...ALL, prevKv: true }, nothing);
  rig.store.broken = true;
  rig.hub.changed(12, [{ key: "k1", sub: 0, tombstone: true, kv: new Uint8Array(0) }]);
  rig.settle();
  for (const watch of [behind, single, withPrev]) expect(takeAll(watch)).toEqual(["failed IO"]);
  expect(takeAll(live)).toEqual(["events@12 delete k1@12"]);
  expect(rig.hub.watchers).toBe(1);
});

test("progress comes of live watchers alone, and of a stream if all are", () => {
  const rig = new WatchRig({ puts: 10 });
  const stream = rig.hub.stream(nothing);
  expect(stream.progress()).toBe(false);
  const live = stream.watch(ALL);
  expect(stream.progress()).toBe(true);
  const behind = stream.watch({ ...ALL, startRevision: 5 });
  expect([stream.progress(), stream.progress(live), stream.progress(behind)]).toEqual([
    false,
    true,
    false,
  ]);
  rig.settle();
  expect(stream.progress()).toBe(true);
  // The first was dropped when the second watch began.
  expect(takeAll(stream).map((line) => line.split(" ")[0])).toEqual([
    "progress@11",
    "events@11",
    "progress@11",
  ]);
});

test("who does not read the answers gets no more of them", () => {
  const { hub } = new WatchRig();
  const watch = hub.watch(ALL, nothing);
  const asked = Array.from({ length: 1000 }, () => watch.progress());
  expect(asked.filter(Boolean)).toHaveLength(128);
  expect(takeAll(watch)).toHaveLength(128);
  expect(watch.progress()).toBe(true);
});

test("progress is told by the clock, but not after events, and not to those behind or in the future", async () => {
  const clock = new ManualClock();
  const rig = new WatchRig({ puts: 10, clock, progressIntervalMs: 1000 });
  const quiet = rig.hub.watch({ start: "q", end: "", progressNotify: true }, nothing);
  const busy = rig.hub.watch({ start: "b", end: "", progressNotify: true }, nothing);
  const future = rig.hub.watch({ ...ALL, startRevision: 99, progressNotify: true }, nothing);
  const behind = rig.hub.watch({ ...ALL, startRevision: 1, progressNotify: true }, nothing);
  const never = rig.hub.watch({ start: "q", end: "" }, nothing);
  rig.store.put("b", "1");
  expect(takeAll(busy)).toEqual(["events@12 put b@12"]);
  await clock.advance(1049);
  expect(takeAll(quiet)).toEqual([]);
  await clock.advance(1);
  expect([quiet, busy, future, behind, never].map(takeAll)).toEqual([
    ["progress@12"],
    [],
    [],
    [],
    [],
  ]);
  await clock.advance(1050);
  expect([quiet, busy].map(takeAll)).toEqual([["progress@12"], ["progress@12"]]);
  for (const watch of [quiet, busy, future, behind]) watch.cancel();
  await clock.advance(0);
  expect(clock.sleeping).toBe(0);
});

test("what cannot be watched is refused", () => {
  const { hub } = new WatchRig();
  const refused = (error: unknown): boolean =>
    error instanceof StrataError && error.code === "BAD_ARGUMENT";
  for (const options of [
    { start: "b", end: "b" },
    { start: "b", end: "a" },
    { ...ALL, startRevision: -1 },
    { ...ALL, startRevision: 0.5 },
  ]) {
    expect(() => hub.watch(options, nothing)).toThrow(expect.toSatisfy(refused));
  }
  const stream = hub.stream(nothing);
  stream.close();
  expect(() => stream.watch(ALL)).toThrow("closed");
});

/** On which each look at the time takes a while. */
function slowClock(lookMs: number): Clock {
  let nowMs = 0;
  return {
    nowMs: () => {
      nowMs += lookMs;
      return nowMs;
    },
    sleep: () => new Promise(() => {}),
  };
}

test("many watchers that start together read history once", () => {
  const rig = new WatchRig({ puts: 3000, clock: slowClock(0.01) });
  const watches = Array.from({ length: 500 }, (_, i) =>
    rig.hub.watch({ ...ALL, startRevision: 100 + ((i * 7919) % 700) }, nothing),
  );
  rig.store.reads = 0;
  rig.settle();
  expect(rig.store.reads).toBeLessThan(2 * 3000);
  for (const [i, watch] of watches.entries()) {
    let events = 0;
    for (let batch = watch.take(); batch !== undefined; batch = watch.take()) {
      if (batch.kind === "events") events += batch.events.length;
    }
    expect(events).toBe(3001 - (100 + ((i * 7919) % 700)) + 1);
  }
});

test("one far behind does not hold up others, and comes on while writes go on", () => {
  const rig = new WatchRig({ puts: 20_000, clock: slowClock(0.4) });
  const far = rig.hub.watch({ ...ALL, startRevision: 2 }, nothing, {
    maxBufferedBytes: Infinity,
    maxBufferedEvents: Infinity,
  });
  rig.slice();
  const near = rig.hub.watch({ ...ALL, startRevision: 19_990 }, nothing);
  let slices = 0;
  while (near.watcher.state !== "live" && slices < 100) {
    rig.slice();
    slices++;
  }
  expect(slices).toBeLessThan(5);
  expect(far.watcher.state).toBe("behind");
  while (far.watcher.state !== "live" && slices < 1000) {
    for (let i = 0; i < 50; i++) rig.store.put("k1", "v");
    rig.slice();
    slices++;
  }
  expect(far.watcher.state).toBe("live");
});

test("after the hub is closed nothing comes and nothing is left", () => {
  const rig = new WatchRig({ puts: 10 });
  let wakes = 0;
  const watch = rig.hub.watch({ ...ALL, startRevision: 1 }, () => wakes++);
  const live = rig.hub.watch(ALL, nothing);
  rig.store.put("a", "1");
  rig.hub.close();
  expect(wakes).toBe(1);
  rig.settle();
  rig.store.put("a", "2");
  expect([takeAll(watch), takeAll(live), rig.hub.watchers]).toEqual([[], [], 0]);
});
