/**
 * How many durable puts and linearizable gets of 256-byte values does the server take over the wire, how long do they
 * take, and what do they cost it; beside etcd, on the same disk, in turns?
 *
 *     node dist/bench/wire/load.js [--smoke] [--rounds N] [--seconds S] [--points 1x1,10x10] [--only REGEX] [--json FILE]
 *
 * h2load shares the processors with the server that it asks. It does not look at gRPC's status: that every put was one
 * is seen by the revision, as the real etcdctl reads it.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { peer } from "../../test/support/peers.ts";
import {
  type Answered,
  alternate,
  type Entry,
  isAnswered,
  mebibytes,
  ofCase,
  ratios,
  sayMissing,
  shown,
  shownSpread,
} from "../store/alternate.ts";
import { describeMachine } from "../support/machine.ts";
import { spread } from "../support/report.ts";
import { getFrame, putFrame } from "./frames.ts";
import { h2load, type LoadFigure, type Point } from "./h2load.ts";
import { RawClient } from "./raw-client.ts";
import {
  cpuSeconds,
  ETCD,
  peakBytes,
  revisionOf,
  type ServerKind,
  type ServerProcess,
  STRATA,
  withServer,
} from "./server-process.ts";

export const OPERATIONS = ["put", "get"] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface WireFigure extends LoadFigure {
  /** Of the server, a request. */
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** Code is compiled while it runs, and a server lives longer than its first seconds. */
const WARM_UP_SECONDS = 2;

/** What is to be reached of etcd's requests a second. */
export const GOALS: Readonly<Record<Operation, Readonly<Record<string, number>>>> = {
  put: { "1x1": 1.7, "10x1": 1.8, "100x1": 2, "1x100": 3, "10x10": 3, "100x10": 3 },
  get: { "1x1": 5, "10x1": 5, "100x1": 5, "1x100": 8, "10x10": 8, "100x10": 8 },
};

export const POINTS: readonly Point[] = Object.keys(GOALS.put).map(pointOf);

export function pointOf(text: string): Point {
  const [connections = 0, streams = 0] = text.split("x").map(Number);
  if (!(connections > 0 && streams > 0)) throw new Error(`${text} is not connections x streams`);
  return { connections, streams };
}

function nameOf({ connections, streams }: Point): string {
  return `${connections}x${streams}`;
}

export interface LoadOptions {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Default: 256. */
  readonly valueBytes?: number;
}

const h2loadPeer = peer("h2load");

/** Why a server cannot be loaded here; undefined: it can. */
export function whyNotLoaded(kind: ServerKind): string | undefined {
  if (!kind.peer.found) return kind.peer.why;
  return h2loadPeer.found ? undefined : h2loadPeer.why;
}

export function loadEntries(
  operation: Operation,
  point: Point,
  options: LoadOptions,
  folder: string,
): Entry<WireFigure>[] {
  return [STRATA, ETCD].map((kind: ServerKind) => {
    const why = whyNotLoaded(kind);
    return {
      name: `${operation} ${nameOf(point)} ${kind.name}`,
      ...(why !== undefined && { missing: why }),
      run: () =>
        withServer(kind, folder, (server) =>
          measureLoad(server, operation, point, options, folder),
        ),
    };
  });
}

/** @throws Error if a request failed, or a put that was answered made no revision */
export async function measureLoad(
  { url, port, pid }: ServerProcess,
  operation: Operation,
  point: Point,
  { seconds, warmUpSeconds, valueBytes }: LoadOptions,
  folder: string,
): Promise<WireFigure> {
  const path = `/etcdserverpb.KV/${operation === "put" ? "Put" : "Range"}`;
  const common = { url, folder, ...point };
  const frame = putFrame(1, valueBytes);
  await putOnce(port, frame);
  const before = await revisionOf(url);
  const body = operation === "put" ? frame : getFrame(1);
  const cpuBefore = cpuSeconds(pid);
  const figure = await h2load({ ...common, path, body, seconds, warmUpSeconds });
  const cpu = cpuSeconds(pid) - cpuBefore;
  const made = (await revisionOf(url)) - before;
  // Those of the warm-up are not in h2load's count, but in the server's time.
  if (operation === "put" && made < figure.requests) {
    throw new Error(`${figure.requests} puts were answered, ${made} made`);
  }
  const share = seconds / (seconds + warmUpSeconds);
  const asked = operation === "put" ? made : figure.requests / share;
  return { ...figure, cpuUs: (cpu / asked) * 1e6, peakRssBytes: peakBytes(pid) };
}

/** The key of the gets is there. */
async function putOnce(port: number, frame: Buffer): Promise<void> {
  const client = await RawClient.open(port);
  await new Promise<void>((ended) => {
    const events = { message: () => undefined, ended };
    client.call("/etcdserverpb.KV/Put", frame, true, events);
  });
  client.close();
  if (client.failure !== undefined) throw new Error(`a first put: ${client.failure}`);
}

function showRow(
  operation: Operation,
  point: string,
  answers: readonly Answered<WireFigure>[],
): object {
  const [ours, theirs] = answers.filter(isAnswered).map(({ rounds }) => rounds);
  const median = (
    rounds: readonly WireFigure[] | undefined,
    of: (one: WireFigure) => number,
  ): number => spread((rounds ?? []).map(of)).median;
  const both = (of: (one: WireFigure) => number): string =>
    `${shown(median(ours, of))} / ${shown(median(theirs, of))}`;
  if (ours === undefined || theirs === undefined) return { operation, point, missing: true };
  const ratio = ratios(ours, theirs, ({ perSecond }) => perSecond);
  const goal = GOALS[operation][point] ?? 0;
  return {
    operation,
    point,
    "requests/s": both(({ perSecond }) => perSecond),
    ratio: shownSpread(ratio, (value) => value.toFixed(2)),
    goal: `${goal} ${ratio.median >= goal ? "met" : "MISSED"}`,
    "p50 ms": both(({ p50Ms }) => p50Ms),
    "p99 ms": both(({ p99Ms }) => p99Ms),
    "CPU µs": both(({ cpuUs }) => cpuUs),
    peak: `${mebibytes(median(ours, ({ peakRssBytes }) => peakRssBytes))} / ${mebibytes(median(theirs, ({ peakRssBytes }) => peakRssBytes))}`,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      points: { type: "string", default: Object.keys(GOALS.put).join(",") },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  const seconds = Number(values.seconds ?? (values.smoke ? 0.5 : 5));
  if (!(rounds > 0 && Number.isInteger(rounds) && seconds > 0)) {
    throw new Error("--rounds and --seconds are above 0");
  }
  const points = values.points.split(",").map(pointOf);
  const only = new RegExp(values.only);
  const folder = scratchFolder("bench-wire");
  console.log(describeMachine(folder), h2loadPeer);
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, seconds);
  const cases = OPERATIONS.flatMap((operation) => points.map((point) => ({ operation, point })));
  const entries = cases
    .flatMap(({ operation, point }) =>
      loadEntries(operation, point, { seconds, warmUpSeconds }, folder),
    )
    .filter(({ name }) => only.test(name));
  const answers = await alternate(entries, rounds, (line) => console.error(line));
  const rows = cases.map(({ operation, point }) => {
    const name = nameOf(point);
    return showRow(operation, name, ofCase(answers, `${operation} ${name}`));
  });
  console.table(rows);
  sayMissing(answers);
  if (values.json !== undefined) {
    writeFileSync(
      values.json,
      `${JSON.stringify({ at: new Date().toISOString(), rounds, seconds, answers }, undefined, 2)}\n`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
