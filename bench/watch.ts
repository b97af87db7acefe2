/**
 * What does a put cost the watch engine, and how fast do events go out and histories come in? Without a store: puts are
 * made ahead of time, and history is read from an array.
 *
 *   npm run build && node dist/bench/watch.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/watch.js   the figures: the median of 5 rounds
 */
import { fileURLToPath } from "node:url";
import type { RevisionSet } from "../src/mvcc/revision-set.ts";
import type { Change, WatchSource } from "../src/mvcc/watch/source.ts";
import type { WatchBatch } from "../src/mvcc/watch/watch-event.ts";
import { WatchHub } from "../src/mvcc/watch/watch-hub.ts";

const KEYS = 1000;

export interface WatchFigure {
  readonly name: string;
  readonly puts: number;
  readonly events: number;
  readonly nsPerPut: number;
  readonly nsPerEvent: number;
}

/** Counted by consumers, so that nothing of their work is for nothing. */
let taken = 0;

type Setting = (hub: WatchHub) => void;

/** A history of puts, one a revision from 2 on, of keys in turn. */
class PutHistory implements WatchSource {
  readonly puts: (readonly [Change])[];
  currentRevision = 1;
  readonly compactedRevision = -1;

  constructor(count: number) {
    this.puts = Array.from({ length: count }, (_, i) => {
      const key = keyOf(i % KEYS);
      const kv = Buffer.concat([Buffer.from([0x0a, key.length]), Buffer.from(key)]);
      return [{ key, sub: 0, tombstone: false, kv: new Uint8Array(kv) }] as const;
    });
  }

  revisionsSince(): RevisionSet | undefined {
    return undefined;
  }

  scan(fromRev: number, visit: Parameters<WatchSource["scan"]>[1]): void {
    for (let main = fromRev; main <= this.currentRevision; main++) {
      const [{ kv }] = this.puts[main - 2] as readonly [Change];
      if (!visit(main, 0, false, kv)) return;
    }
  }

  read(): never {
    throw new Error("nothing is read by the index here");
  }

  readKey(key: string): Uint8Array | undefined {
    return this.puts[Number(key.slice(-4))]?.[0].kv;
  }
}

function keyOf(i: number): string {
  return `/registry/pods/default/pod-${`${i}`.padStart(4, "0")}`;
}

/** Watchers of `many` single keys or ranges of ten keys, so that a put meets few of them. */
function spreadOver(many: number, range: boolean): Setting {
  return (hub) => {
    for (let i = 0; i < many; i++) {
      const end = range ? `${keyOf(i % KEYS).slice(0, -1)}:${i}` : "";
      const watch = hub.watch({ start: keyOf(i % KEYS), end }, () => drain(watch));
    }
  };
}

function drain(from: { take(): WatchBatch | undefined }): void {
  for (let batch = from.take(); batch !== undefined; batch = from.take()) {
    if (batch.kind === "events") taken += batch.events.length;
  }
}

function everything(many: number, prevKv: boolean): Setting {
  return (hub) => {
    for (let i = 0; i < many; i++) {
      const watch = hub.watch({ start: "\0", end: "\0", prevKv }, () => drain(watch));
    }
  };
}

/** All on one stream, which is read when the puts are over. */
function oneStream(many: number): Setting {
  return (hub) => {
    const stream = hub.stream(() => drain(stream));
    for (let i = 0; i < many; i++) stream.watch({ start: "\0", end: "\0" });
  };
}

const LIVE: readonly (readonly [name: string, share: number, setting: Setting])[] = [
  ["no watcher", 1, (): void => {}],
  ["1 watcher of another key", 1, (hub): void => void hub.watch({ start: "x", end: "" }, () => {})],
  ["1 watcher of everything", 1, everything(1, false)],
  ["1000 watchers of one key each", 1, spreadOver(1000, false)],
  ["1000 watchers of ranges", 0.2, spreadOver(1000, true)],
  ["10,000 watchers of ranges", 0.02, spreadOver(10_000, true)],
  ["fan-out to 1000 watchers of everything", 0.01, everything(1000, false)],
  ["fan-out to 1000 with prev_kv", 0.01, everything(1000, true)],
  ["fan-out to 1000 on one stream", 0.01, oneStream(1000)],
];

const HISTORY: readonly (readonly [name: string, share: number, many: number])[] = [
  ["history for 1 watcher", 1, 1],
  ["history for 100 watchers", 0.1, 100],
];

function figure(name: string, puts: number, events: number, ms: number): WatchFigure {
  return { name, puts, events, nsPerPut: (ms / puts) * 1e6, nsPerEvent: (ms / events) * 1e6 };
}

function live(name: string, puts: number, setting: Setting): WatchFigure {
  const source = new PutHistory(puts);
  const hub = new WatchHub(source, { random: () => 0.5 });
  setting(hub);
  taken = 0;
  const start = performance.now();
  for (let i = 0; i < puts; i++) {
    source.currentRevision = i + 2;
    hub.changed(i + 2, source.puts[i] as readonly [Change]);
  }
  const ms = performance.now() - start;
  if (hub.slowWatchers > 0) throw new Error("somebody fell behind");
  hub.close();
  return figure(name, puts, taken, ms);
}

function history(name: string, puts: number, many: number): WatchFigure {
  const source = new PutHistory(puts);
  source.currentRevision = puts + 1;
  const slices: (() => void)[] = [];
  const hub = new WatchHub(source, { random: () => 0.5, schedule: (slice) => slices.push(slice) });
  taken = 0;
  for (let i = 0; i < many; i++) {
    const options = { start: "\0", end: "\0", startRevision: 2 };
    const watch = hub.watch(options, () => drain(watch));
  }
  const start = performance.now();
  for (let slice = slices.shift(); slice !== undefined; slice = slices.shift()) slice();
  const ms = performance.now() - start;
  if (hub.slowWatchers > 0 || taken !== puts * many) throw new Error("events are missing");
  hub.close();
  return figure(name, puts, taken, ms);
}

/** Case by case the round with the median time. */
export function measureWatch(puts: number, rounds: number): WatchFigure[] {
  const all = Array.from({ length: rounds }, () => [
    ...LIVE.map(([name, share, setting]) => live(name, Math.ceil(puts * share), setting)),
    ...HISTORY.map(([name, share, many]) => history(name, Math.ceil(puts * share), many)),
  ]);
  return (all[0] ?? []).map((_, i) => {
    const sorted = all
      .map((figures) => figures[i] as WatchFigure)
      .sort((a, b) => a.nsPerPut - b.nsPerPut);
    return sorted[Math.floor(sorted.length / 2)] as WatchFigure;
  });
}

function main(): void {
  const full = process.env.BENCH === "full";
  const figures = measureWatch(full ? 1_000_000 : 2000, full ? 5 : 1);
  console.table(
    figures.map(({ name, puts, events, nsPerPut, nsPerEvent }) => ({
      case: name,
      puts,
      events,
      "ns a put": Math.round(nsPerPut),
      "ns an event": events === 0 ? "" : Math.round(nsPerEvent),
      "events a second": events === 0 ? "" : Math.round(1e9 / nsPerEvent),
    })),
  );
  console.log({ node: process.version });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
