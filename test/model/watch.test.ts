/**
 * Random histories, random watchers, random consumers: each must see exactly what a list of all changes has for it,
 * from its start until it is cancelled or compacted.
 */
import { expect, test } from "vitest";
import { equalBytes } from "../../src/base/bytes.ts";
import { invariant as must } from "../../src/base/invariant.ts";
import type { WatchBatch, WatchEvent } from "../../src/mvcc/watch/watch-event.ts";
import { WatchHub } from "../../src/mvcc/watch/watch-hub.ts";
import type { WatchStream } from "../../src/mvcc/watch/watch-stream.ts";
import type { Watcher, WatchOptions } from "../../src/mvcc/watch/watcher.ts";
import { type Rng, rng } from "../support/rng.ts";
import { type ModelEvent, type Op, WatchStore } from "../support/watch-store.ts";

const seeds = process.env.STRATA_SEEDS
  ? process.env.STRATA_SEEDS.split(",").map(Number)
  : Array.from({ length: 200 }, (_, i) => i + 1);
const rounds = Number(process.env.STRATA_ROUNDS ?? 300);

const KEYS = ["\0", "a", "a\0", "ab", "b", "ba", "c", "d", "\x7f", "\xff"];
const ENDS = [...KEYS, "\0", "", "", "b\0"];

/** A watcher with what it has been given. */
class Watched {
  readonly watcher: Watcher;
  readonly #store: WatchStore;
  readonly #options: WatchOptions;
  readonly #first: number;
  readonly #compactedAtStart: boolean;
  /** In the list of all events, the place to look on from. */
  #place = 0;
  #last = 0;
  #header = 0;
  over = false;

  constructor(store: WatchStore, stream: WatchStream, options: WatchOptions) {
    this.#store = store;
    this.#options = options;
    const { startRevision = 0 } = options;
    this.#first = startRevision === 0 ? store.currentRevision + 1 : startRevision;
    this.#compactedAtStart = this.#first < store.compactedRevision;
    this.watcher = stream.watch(options);
  }

  take(batch: WatchBatch): void {
    must(!this.over, "nothing comes after the end");
    if (batch.kind === "events") this.#takeEvents(batch.revision, batch.events);
    else if (batch.kind === "progress") this.takeProgress(batch.revision);
    else if (batch.kind === "compacted") {
      const { compactRevision } = batch;
      const next = Math.max(this.#last + 1, this.#first);
      const { compactedRevision } = this.#store;
      const right = next < compactRevision && compactRevision <= compactedRevision;
      must(right, "its next events are given up", { next, compactRevision, compactedRevision });
      this.over = true;
    } else must(false, "history can be read", { batch });
  }

  takeProgress(revision: number): void {
    const least = Math.max(this.#first - 1, this.#header);
    const { currentRevision } = this.#store;
    must(least <= revision && revision <= currentRevision, "progress is", { least, revision });
    const next = this.#next()?.modRevision ?? Infinity;
    must(next > revision, "progress is never ahead of the events", { next, revision });
    this.#header = revision;
  }

  /** Nothing is on its way to it any more. */
  finish(): void {
    if (this.over) return;
    must(!this.#compactedAtStart, "it was told that its start is compacted");
    must(this.#next() === undefined, "nothing was lost", { lost: this.#next() });
    must(this.watcher.state === "live", "it is live");
  }

  #takeEvents(header: number, events: readonly WatchEvent[]): void {
    must(!this.#compactedAtStart, "nothing comes of a compacted start");
    const first = events[0]?.modRevision ?? 0;
    must(first > this.#last, "no batch is empty, or goes on with a revision", { events });
    must(header >= this.#header, "headers do not go back", { header });
    for (const event of events) {
      const right = this.#next();
      if (right === undefined) throw new Error(`no event is due, got ${JSON.stringify(event)}`);
      this.#place++;
      if (
        event.type !== right.type ||
        event.modRevision !== right.modRevision ||
        !equalBytes(event.kv, right.kv)
      ) {
        throw new Error(`got ${JSON.stringify(event)}, ${JSON.stringify(right)} is due`);
      }
      this.#checkPrev(event, right);
      this.#last = right.modRevision;
    }
    must(header >= this.#last, "the header is not older than the events", { header });
    must(this.#next()?.modRevision !== this.#last, "revisions are whole", { last: this.#last });
    this.#header = header;
  }

  #checkPrev({ prevKv, modRevision }: WatchEvent, right: ModelEvent): void {
    if (prevKv === undefined) {
      const compacted = modRevision - 1 < this.#store.compactedRevision;
      if (this.#options.prevKv && !compacted) must(right.prevKv === undefined, "a pair was there");
      return;
    }
    must(this.#options.prevKv === true, "nobody asked for the pair before");
    const same = right.prevKv !== undefined && equalBytes(prevKv, right.prevKv);
    must(same, "the pair before is right", { prevKv, right });
  }

  #next(): ModelEvent | undefined {
    const { events } = this.#store;
    const { start, end, noPut, noDelete } = this.#options;
    for (; this.#place < events.length; this.#place++) {
      const event = events[this.#place] as ModelEvent;
      const { key, type, modRevision } = event;
      const inRange = end === "" ? key === start : key >= start && (end === "\0" || key < end);
      const filtered = type === "put" ? noPut : noDelete;
      if (inRange && !filtered && modRevision >= this.#first) return event;
    }
    return undefined;
  }
}

/** A consumer: a stream, and how it is read. */
class Consumer {
  readonly stream: WatchStream;
  readonly watched = new Map<Watcher, Watched>();
  readonly #limits: { readonly maxBufferedBytes: number; readonly maxBufferedEvents: number };
  readonly #eager: boolean;
  #woken = false;

  constructor(hub: WatchHub, random: Rng) {
    this.#limits = {
      maxBufferedBytes: random.pick([1, 300, 2000, 1e6]),
      maxBufferedEvents: random.pick([1, 2, 7, 50, 1e6]),
    };
    this.#eager = random.bool(0.2);
    this.stream = hub.stream(() => {
      must(!this.#woken, "one wake is enough");
      this.#woken = true;
      if (this.#eager) this.take(Infinity);
    }, this.#limits);
  }

  take(count: number): void {
    const { maxBufferedBytes, maxBufferedEvents } = this.#limits;
    for (let i = 0; i < count; i++) {
      const { bufferedBytes, bufferedEvents } = this.stream;
      this.#woken = false;
      const batch = this.stream.take();
      if (batch === undefined) {
        must(this.stream.bufferedBytes === 0 && this.stream.bufferedEvents === 0, "it is empty");
        return;
      }
      const beyond = bufferedBytes > maxBufferedBytes || bufferedEvents > maxBufferedEvents;
      if (batch.kind === "events" && beyond) {
        // One revision alone may be more than that.
        const mains = new Set(batch.events.map(({ modRevision }) => modRevision));
        must(mains.size === 1 && this.stream.bufferedEvents === 0, "the bounds hold", { batch });
      }
      if (batch.watcher !== undefined) this.watched.get(batch.watcher)?.take(batch);
      else if (batch.kind === "progress") {
        for (const one of this.watched.values()) if (!one.over) one.takeProgress(batch.revision);
      }
    }
  }
}

function run(seed: number): void {
  const random = rng(seed);
  const store = new WatchStore();
  const slices: (() => void)[] = [];
  let nowMs = 0;
  for (let i = random.int(40); i > 0; i--) change(store, random);
  const hub = new WatchHub(store, {
    random: random.float,
    clock: {
      nowMs: () => {
        nowMs += random.float();
        return nowMs;
      },
      sleep: () => new Promise(() => {}),
    },
    schedule: (slice) => slices.push(slice),
    tuning: {
      stepRecords: random.pick([1, 3, 20]),
      shortGap: random.pick([0, 5, 256]),
      keysMax: random.pick([0, 2, 2048]),
      reach: random.pick([1, 10, 1024]),
    },
  });
  store.hub = hub;
  const consumers = Array.from({ length: 1 + random.int(3) }, () => new Consumer(hub, random));
  const writes = random.float();
  for (let round = 0; round < rounds; round++) {
    const { stream, watched } = random.pick(consumers);
    if (random.bool(writes)) change(store, random);
    if (random.bool(0.5)) slices.shift()?.();
    if (random.bool(0.3)) random.pick(consumers).take(1 + random.int(5));
    if (random.bool(0.1)) {
      const one = new Watched(store, stream, randomOptions(store, random));
      watched.set(one.watcher, one);
    }
    if (random.bool(0.03) && watched.size > 0) {
      const gone = random.pick([...watched.values()]);
      gone.watcher.cancel();
      gone.over = true;
    }
    if (random.bool(0.1)) stream.progress();
    if (random.bool(0.1) && stream.watchers.size > 0) {
      stream.progress(random.pick([...stream.watchers]));
    }
    if (random.bool(0.02)) {
      const from = Math.max(1, store.compactedRevision);
      store.compact(from + random.int(store.currentRevision - from + 1));
    }
    if (random.bool(0.3)) store.stepCompaction(1 + random.int(3));
  }
  for (let idle = false; !idle; ) {
    while (slices.length > 0) slices.shift()?.();
    for (const consumer of consumers) consumer.take(Infinity);
    idle = slices.length === 0;
  }
  for (const consumer of consumers) {
    for (const one of consumer.watched.values()) one.finish();
  }
  expect(hub.slowWatchers).toBe(0);
  hub.close();
  expect(hub.watchers).toBe(0);
}

function change(store: WatchStore, random: Rng): void {
  const ops = Array.from({ length: random.bool(0.7) ? 1 : random.int(8) }, (): Op => {
    const key = random.pick(KEYS);
    return random.bool(0.35) ? ["delete", key] : ["put", key, "v".repeat(random.int(200))];
  });
  store.transact(ops);
}

function randomOptions(store: WatchStore, random: Rng): WatchOptions {
  let [start, end] = [random.pick(KEYS), random.pick(ENDS)];
  if (end !== "" && end !== "\0" && end <= start) [start, end] = ["\0", "\0"];
  const { currentRevision, compactedRevision } = store;
  const startRevision = random.pick([
    0,
    0,
    1,
    Math.max(0, compactedRevision),
    Math.max(0, compactedRevision - 1),
    1 + random.int(currentRevision),
    currentRevision,
    currentRevision + 1 + random.int(20),
  ]);
  return {
    start,
    end,
    startRevision,
    noPut: random.bool(0.15),
    noDelete: random.bool(0.15),
    prevKv: random.bool(),
  };
}

const CHUNK = 50;
for (let at = 0; at < seeds.length; at += CHUNK) {
  const some = seeds.slice(at, at + CHUNK);
  test(`watchers see what they must: seeds ${some[0]} to ${some.at(-1)}`, () => {
    for (const seed of some) {
      try {
        run(seed);
      } catch (error) {
        throw new Error(`STRATA_SEEDS=${seed}`, { cause: error });
      }
    }
  });
}
