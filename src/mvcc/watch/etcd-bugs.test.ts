/** Bugs that etcd's watches had, by their numbers there, and what happens here instead. */
import { expect, test } from "vitest";
import { takeAll, WatchRig } from "../../../test/support/watch-rig.ts";
import type { WatchBatch } from "./watch-event.ts";

const ALL = { start: "\0", end: "\0" } as const;
const FEW = { maxBufferedBytes: 1e6, maxBufferedEvents: 2 };
const nothing = (): void => {};

test("#15220: progress of a slow watcher is not ahead of events that are still to come", () => {
  const rig = new WatchRig();
  const stream = rig.hub.stream(nothing, FEW);
  const watcher = stream.watch(ALL);
  rig.store.put("a", "1");
  expect(stream.progress()).toBe(true);
  rig.store.put("a", "2");
  rig.store.put("a", "3");
  expect([watcher.state, stream.progress(), stream.progress(watcher)]).toEqual([
    "behind",
    false,
    false,
  ]);
  expect(takeAll(stream)).toEqual(["events@2 put a@2", "progress@2", "events@3 put a@3"]);
  expect(stream.progress()).toBe(false);
  rig.settle();
  expect(stream.progress()).toBe(true);
  expect(takeAll(stream)).toEqual(["events@4 put a@4", "progress@4"]);
});

test("#15220: progress of a stream does not speak for a watch that began after it was asked for", () => {
  const rig = new WatchRig({ puts: 10 });
  const stream = rig.hub.stream(nothing);
  stream.watch(ALL);
  expect(stream.progress()).toBe(true);
  stream.watch({ ...ALL, startRevision: 10 });
  expect(takeAll(stream)).toEqual([]);
  rig.settle();
  expect(takeAll(stream)).toEqual(["events@11 put k8@10 put k9@11"]);
});

test("#17507: a watch of old revisions without any event gets its progress", () => {
  const rig = new WatchRig({ puts: 10 });
  const watch = rig.hub.watch({ start: "other", end: "", startRevision: 3 }, nothing);
  rig.settle();
  expect(watch.progress()).toBe(true);
  expect(takeAll(watch)).toEqual(["progress@11"]);
});

test("#17529: of many watches on one starved stream none loses an event", () => {
  const rig = new WatchRig();
  const limits = { maxBufferedBytes: 2000, maxBufferedEvents: 20 };
  const stream = rig.hub.stream(nothing, limits);
  const seen = new Map(
    Array.from({ length: 300 }, () => [stream.watch({ ...ALL, prevKv: true }), [] as number[]]),
  );
  for (let i = 0; i < 40; i++) {
    rig.store.put(`k${i % 3}`, `${i}`);
    if (i % 10 === 0) rig.slice();
  }
  for (let idle = 0; idle < 2; idle++) {
    for (let batch = stream.take(); batch !== undefined; batch = stream.take()) {
      idle = 0;
      const { watcher, events } = batch as Extract<WatchBatch, { kind: "events" }>;
      seen.get(watcher)?.push(...events.map(({ modRevision }) => modRevision));
      expect(stream.bufferedEvents).toBeLessThanOrEqual(20);
    }
    rig.settle();
  }
  const right = Array.from({ length: 40 }, (_, i) => i + 2);
  for (const mains of seen.values()) expect(mains).toEqual(right);
});

test("#17529: a starved watcher that was compacted away is told so, after what it had been given", () => {
  const rig = new WatchRig();
  const watch = rig.hub.watch(ALL, nothing, FEW);
  for (let i = 0; i < 10; i++) rig.store.put("a", `${i}`);
  rig.store.compact(9);
  rig.store.endCompaction();
  rig.settle();
  expect(watch.take()?.kind).toBe("events");
  rig.settle();
  expect(takeAll(watch)).toEqual(["events@3 put a@3", "compacted@9"]);
  expect(rig.hub.watchers).toBe(0);
});

test.each([
  ["one key", { start: "a", end: "" }],
  ["a range", ALL],
])(
  "#18089, #19179: a delete at the compacted revision is seen from there, by a watch of %s",
  (_, range) => {
    const rig = new WatchRig();
    rig.store.put("a", "1");
    rig.store.put("a", "2");
    rig.store.delete("a");
    rig.store.put("a", "3");
    rig.store.compact(4);
    rig.store.endCompaction();
    const watch = rig.hub.watch({ ...range, startRevision: 4 }, nothing);
    const below = rig.hub.watch({ ...range, startRevision: 3 }, nothing);
    rig.settle();
    expect(takeAll(watch)).toEqual(["events@5 delete a@4 put a@5"]);
    expect(takeAll(below)).toEqual(["compacted@4"]);
  },
);

test("#17247: a transaction that changes a key twice is one event, live and from history", () => {
  const rig = new WatchRig();
  const live = rig.hub.watch(ALL, nothing);
  rig.store.transact([
    ["put", "a", "1"],
    ["put", "b", "1"],
    ["put", "a", "2"],
    ["delete", "b"],
  ]);
  const range = rig.hub.watch({ ...ALL, startRevision: 1 }, nothing);
  const key = rig.hub.watch({ start: "a", end: "", startRevision: 1 }, nothing);
  rig.settle();
  expect(takeAll(live)).toEqual(["events@2 put a@2 delete b@2"]);
  expect(takeAll(range)).toEqual(["events@2 put a@2 delete b@2"]);
  expect(takeAll(key)).toEqual(["events@2 put a@2"]);
});

test("#20221: a watch of the future gets nothing older, and no progress before it", () => {
  const rig = new WatchRig({ puts: 3 });
  const watch = rig.hub.watch({ ...ALL, startRevision: 7 }, nothing);
  for (const key of ["a", "b"]) {
    rig.store.put(key, "1");
    expect(watch.progress()).toBe(false);
  }
  rig.store.put("c", "1");
  expect(watch.progress()).toBe(true);
  rig.store.put("d", "1");
  expect(takeAll(watch)).toEqual(["events@7 put c@7", "progress@7", "events@8 put d@8"]);
});

test("#20221: nor does it when it has fallen behind", () => {
  const rig = new WatchRig();
  const watch = rig.hub.watch({ ...ALL, startRevision: 4 }, nothing, FEW);
  for (let i = 0; i < 8; i++) rig.store.put("a", `${i}`);
  const lines = takeAll(watch);
  rig.settle();
  lines.push(...takeAll(watch));
  rig.settle();
  lines.push(...takeAll(watch));
  rig.settle();
  lines.push(...takeAll(watch));
  expect(lines.join(" ").match(/a@\d/g)).toEqual(["a@4", "a@5", "a@6", "a@7", "a@8", "a@9"]);
});

test("a watcher that falls behind again and again is in one place at a time", () => {
  const rig = new WatchRig();
  const watch = rig.hub.watch(ALL, nothing, FEW);
  const mains: number[] = [];
  for (let i = 0; i < 200; i++) {
    rig.store.put("a", `${i}`);
    if (i % 3 === 0) rig.slice();
    if (i % 5 > 2) {
      const batch = watch.take();
      if (batch?.kind === "events") mains.push(...batch.events.map((event) => event.modRevision));
    }
    expect(rig.hub.watchers).toBe(1);
  }
  for (let idle = 0; idle < 2; idle++) {
    for (let batch = watch.take(); batch !== undefined; batch = watch.take()) {
      idle = 0;
      if (batch.kind === "events") mains.push(...batch.events.map((event) => event.modRevision));
    }
    rig.settle();
  }
  expect(mains).toEqual(Array.from({ length: 200 }, (_, i) => i + 2));
  watch.cancel();
  expect(rig.hub.watchers).toBe(0);
});

test("history that is read again does not get into a batch from before the watcher was live", () => {
  const rig = new WatchRig();
  rig.store.put("a", "1");
  const stream = rig.hub.stream(nothing, { maxBufferedBytes: 1e6, maxBufferedEvents: 6 });
  stream.watch({ start: "b", end: "" });
  for (let i = 0; i < 4; i++) rig.store.put("b", `${i}`);
  const watcher = stream.watch({ start: "a", end: "", startRevision: 2 });
  rig.settle();
  rig.store.put("a", "live");
  rig.store.put("a", "too much");
  expect(watcher.state).toBe("behind");
  for (let i = 0; i < 4; i++) stream.take();
  rig.settle();
  expect(takeAll(stream)).toEqual(["events@6 put a@2", "events@7 put a@7", "events@8 put a@8"]);
});

test("a revision is not split by the end of a slice, of a batch or of the room there is", () => {
  const rig = new WatchRig({ tuning: { stepRecords: 1, shortGap: 0 } });
  for (let i = 0; i < 30; i++) {
    rig.store.transact([0, 1, 2, 3, 4].map((n) => ["put", `k${n}`, `${i}`]));
  }
  const limits = { maxBufferedBytes: 1e6, maxBufferedEvents: 7 };
  const watch = rig.hub.watch({ ...ALL, startRevision: 2 }, nothing, limits);
  let seen = 0;
  for (let idle = 0; idle < 2; idle++) {
    rig.settle();
    for (let batch = watch.take(); batch !== undefined; batch = watch.take()) {
      idle = 0;
      expect((batch as Extract<WatchBatch, { kind: "events" }>).events.length % 5).toBe(0);
      seen += 5;
    }
  }
  expect(seen).toBe(150);
});
