/**
 * One key, one writer who puts as fast as he is answered, a thousand watchers of the key: how many events a second
 * reach them, until the last one has them all; beside etcd, in turns?
 *
 *     node dist/bench/wire/fan-out.js [--smoke] [--rounds N] [--puts N] [--watchers N] [--connections N] [--streams N]
 *         [--json FILE]
 *
 * Watchers are spread over connections and, on each, over streams: a client's library has one or a few of those.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FieldWriter } from "../../src/proto/protobuf.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import {
  alternate,
  type Entry,
  isAnswered,
  mebibytes,
  ratios,
  sayMissing,
  shown,
  shownSpread,
} from "../store/alternate.ts";
import { keyOf } from "../store/workload.ts";
import { describeMachine } from "../support/machine.ts";
import { spread } from "../support/report.ts";
import { framed, putFrame } from "./frames.ts";
import { RawClient } from "./raw-client.ts";
import { cpuSeconds, ETCD, peakBytes, STRATA, withServer } from "./server-process.ts";

const GOAL = 3;
const STALL_MS = 60_000;
/** WatchResponse's `events` and `created`. */
const EVENTS_TAG = 0x5a;
const CREATED_TAG = 0x18;
const CREATED = -1;

export interface FanOutPlan {
  readonly watchers: number;
  readonly connections: number;
  /** On each of them. */
  readonly streams: number;
  readonly puts: number;
  /** Before the clock. */
  readonly warmPuts: number;
}

export interface FanOutFigure {
  readonly events: number;
  readonly seconds: number;
  readonly putsPerSecond: number;
  /** Of the server, an event. */
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** @throws Error if a connection breaks, or nothing comes for a minute */
export async function fanOut(
  { port, pid }: { port: number; pid: number },
  { watchers, connections, streams, puts, warmPuts }: FanOutPlan,
): Promise<FanOutFigure> {
  const clients = await Promise.all(
    Array.from({ length: connections }, () => RawClient.open(port)),
  );
  const writer = await RawClient.open(port);
  let created = 0;
  let events = 0;
  const message = (bytes: Buffer, start: number, end: number): void => {
    const found = eventsIn(bytes, start, end);
    if (found === CREATED) created++;
    else events += found;
  };
  const create = new FieldWriter()
    .message(1, new FieldWriter().message(1, Buffer.from(keyOf(1))).bytes())
    .bytes();
  const perStream = watchers / (connections * streams);
  const body = Buffer.concat(Array.from({ length: perStream }, () => framed(create)));
  for (const client of clients) {
    for (let i = 0; i < streams; i++)
      client.call("/etcdserverpb.Watch/Watch", body, false, { message });
  }
  const all = [...clients, writer];
  await until(
    () => created === watchers,
    () => created,
    all,
  );
  const put = putFrame(1);
  const putAll = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await new Promise<void>((ended) => {
        writer.call("/etcdserverpb.KV/Put", put, true, { message: () => undefined, ended });
      });
    }
  };
  const arrived = (count: number): Promise<void> =>
    until(
      () => events >= count,
      () => events,
      all,
    );
  await putAll(warmPuts);
  await arrived(warmPuts * watchers);
  const cpuBefore = cpuSeconds(pid);
  const startMs = performance.now();
  await putAll(puts);
  const putsPerSecond = puts / ((performance.now() - startMs) / 1000);
  const wanted = puts * watchers;
  const whole = (warmPuts + puts) * watchers;
  await arrived(whole);
  const seconds = (performance.now() - startMs) / 1000;
  const cpuUs = ((cpuSeconds(pid) - cpuBefore) / wanted) * 1e6;
  for (const client of all) client.close();
  if (events !== whole) throw new Error(`${events} events came, not ${whole}`);
  return { events: wanted, seconds, putsPerSecond, cpuUs, peakRssBytes: peakBytes(pid) };
}

async function until(
  done: () => boolean,
  progress: () => number,
  clients: readonly RawClient[],
): Promise<void> {
  let last = -1;
  let movedMs = performance.now();
  while (!done()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const failure = clients.find((client) => client.failure !== undefined)?.failure;
    if (failure !== undefined) throw new Error(failure);
    if (progress() !== last) {
      last = progress();
      movedMs = performance.now();
    } else if (performance.now() - movedMs > STALL_MS) throw new Error(`stalled at ${last}`);
  }
}

/** Looks at a WatchResponse from outside. @returns how many events it has, or that it begins a watch */
function eventsIn(bytes: Buffer, start: number, end: number): number {
  let events = 0;
  let at = start;
  while (at < end) {
    const tag = bytes[at++] as number;
    let byte = bytes[at++] as number;
    let value = byte & 0x7f;
    for (let shift = 128; byte >= 0x80; shift *= 128) {
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * shift;
    }
    if (tag === EVENTS_TAG) events++;
    if (tag === CREATED_TAG && value === 1) return CREATED;
    if ((tag & 7) === 2) at += value;
  }
  return events;
}

export function fanOutEntries(plan: FanOutPlan, folder: string): Entry<FanOutFigure>[] {
  return [STRATA, ETCD].map((kind) => ({
    name: kind.name,
    ...(!kind.peer.found && { missing: kind.peer.why }),
    run: () => withServer(kind, folder, (server) => fanOut(server, plan)),
  }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      rounds: { type: "string" },
      puts: { type: "string" },
      watchers: { type: "string", default: "1000" },
      connections: { type: "string", default: "10" },
      streams: { type: "string", default: "10" },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  const plan: FanOutPlan = {
    watchers: Number(values.watchers),
    connections: Number(values.connections),
    streams: Number(values.streams),
    puts: Number(values.puts ?? (values.smoke ? 20 : 3000)),
    warmPuts: values.smoke ? 5 : 500,
  };
  if (!Number.isInteger(plan.watchers / (plan.connections * plan.streams))) {
    throw new Error("--watchers is a multiple of --connections times --streams");
  }
  const folder = scratchFolder("bench-fan-out");
  console.log(describeMachine(folder), plan);
  const answers = await alternate(fanOutEntries(plan, folder), rounds, (line) =>
    console.error(line),
  );
  const speed = ({ events, seconds }: FanOutFigure): number => events / seconds;
  console.table(
    answers.filter(isAnswered).map(({ name, rounds: figures }) => ({
      name,
      "events/s": shownSpread(spread(figures.map(speed))),
      "puts/s": shown(spread(figures.map((one) => one.putsPerSecond)).median),
      "CPU µs an event": shown(spread(figures.map((one) => one.cpuUs)).median),
      peak: mebibytes(spread(figures.map((one) => one.peakRssBytes)).median),
    })),
  );
  const [ours, theirs] = answers.filter(isAnswered).map((one) => one.rounds);
  if (ours !== undefined && theirs !== undefined) {
    const ratio = ratios(ours, theirs, speed);
    const verdict = ratio.median >= GOAL ? "met" : "missed";
    console.log(
      `${shownSpread(ratio, (value) => value.toFixed(2))} × etcd's (goal ${GOAL}): ${verdict}`,
    );
  }
  sayMissing(answers);
  if (values.json !== undefined) {
    const report = { at: new Date().toISOString(), plan, answers };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
