import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { show, WatchRig } from "../../../test/support/watch-rig.ts";
import { watchEvents } from "./watch-events.ts";

const ALL = { start: "\0", end: "\0" } as const;

test("batches are iterated as they come, from the call on", async () => {
  const { store, hub } = new WatchRig();
  const batches = watchEvents(hub, ALL, new AbortController().signal);
  store.put("a", "1");
  expect(show((await batches.next()).value)).toBe("events@2 put a@2");
  const [first, second] = [batches.next(), batches.next()];
  store.put("a", "2");
  store.put("a", "3");
  expect([show((await first).value), show((await second).value)]).toEqual([
    "events@3 put a@3",
    "events@4 put a@4",
  ]);
});

test("an abort ends it, with whoever waits, and drops the rest", async () => {
  const { store, hub } = new WatchRig();
  const abort = new AbortController();
  const batches = watchEvents(hub, ALL, abort.signal);
  const waiting = batches.next();
  abort.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
  store.put("a", "1");
  expect(await batches.next()).toEqual({ done: true, value: undefined });
  expect(hub.watchers).toBe(0);
  const late = watchEvents(hub, ALL, abort.signal);
  expect(await late.next()).toEqual({ done: true, value: undefined });
  expect(hub.watchers).toBe(0);
});

test("breaking out leaves nothing behind", async () => {
  const { store, hub } = new WatchRig();
  const { signal } = new AbortController();
  const batches = watchEvents(hub, ALL, signal);
  store.put("a", "1");
  for await (const batch of batches) {
    expect(show(batch)).toBe("events@2 put a@2");
    break;
  }
  expect([hub.watchers, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
});

test("it ends after the word that its start is compacted", async () => {
  const rig = new WatchRig({ puts: 10 });
  rig.store.compact(8);
  const { signal } = new AbortController();
  const lines: string[] = [];
  const batches = watchEvents(rig.hub, { ...ALL, startRevision: 2 }, signal);
  setImmediate(() => rig.settle());
  for await (const batch of batches) lines.push(show(batch));
  expect(lines).toEqual(["compacted@8"]);
  expect([rig.hub.watchers, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
});

test("closing the hub ends it", async () => {
  const { hub } = new WatchRig();
  const waiting = watchEvents(hub, ALL, new AbortController().signal).next();
  hub.close();
  expect(await waiting).toEqual({ done: true, value: undefined });
});

test("what is not asked for is held within bounds, and comes later", async () => {
  const rig = new WatchRig();
  const limits = { maxBufferedBytes: 1e6, maxBufferedEvents: 2 };
  const batches = watchEvents(rig.hub, ALL, new AbortController().signal, limits);
  for (let i = 0; i < 6; i++) rig.store.put("a", `${i}`);
  expect(rig.hub.slowWatchers).toBe(1);
  const lines: string[] = [];
  for (let i = 0; i < 4; i++) {
    const next = batches.next();
    rig.settle();
    lines.push(show((await next).value));
  }
  expect(lines.join(" ").match(/a@\d/g)).toEqual(["a@2", "a@3", "a@4", "a@5", "a@6", "a@7"]);
});
