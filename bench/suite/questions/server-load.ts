/** Durable puts and linearizable gets over the wire, asked by h2load, beside etcd. */
import type { Point } from "../../wire/h2load.ts";
import {
  GOALS,
  measureLoad,
  type Operation,
  POINTS,
  pointOf,
  type WireFigure,
  whyNotLoaded,
} from "../../wire/load.ts";
import { ETCD, STRATA } from "../../wire/server-process.ts";
import type { Answer, AskContext, Goal, Size, Subjects, SuiteQuestion } from "../question.ts";
import { withNewServer } from "./idle-servers.ts";
import { inMebibytes, ON_DISK, ROUNDS, serverEntry, settle, valueSizeOf } from "./support.ts";

const VALUE_BYTES = 256;
const FULL = { seconds: 2.5, warmUpSeconds: 1.5 };
const SMOKE = { seconds: 0.1, warmUpSeconds: 0.05 };
/** Longer ones would fill the database up to its quota. */
const LARGE_VALUE_BYTES = 64 * 1024;
const FULL_LARGE = { seconds: 1.5, warmUpSeconds: 0.5 };

const NAMES: Readonly<Record<Operation, string>> = { put: "puts", get: "gets" };
const ABOUT: Readonly<Record<Operation, string>> = {
  put: "durable puts of a key; that every one was one is seen by the revision",
  get: "linearizable gets of a key",
};

function subjects(
  operation: Operation,
  point: Point,
  { valueBytes }: Size,
  context: AskContext,
): Subjects {
  const times = valueBytes < LARGE_VALUE_BYTES ? FULL : FULL_LARGE;
  const options = { ...(context.smoke ? SMOKE : times), valueBytes };
  const entries = [STRATA, ETCD].map((kind) =>
    serverEntry(
      kind,
      async () => {
        if (valueBytes >= LARGE_VALUE_BYTES) await settle(context);
        return await withNewServer(kind, context, async (server) =>
          answerOf(await measureLoad(server, operation, point, options, context.folder)),
        );
      },
      whyNotLoaded(kind),
    ),
  );
  return { entries };
}

function answerOf({ perSecond, p50Ms, p99Ms, cpuUs, peakRssBytes }: WireFigure): Answer {
  return {
    value: perSecond,
    beside: {
      "p50 ms": p50Ms,
      "p99 ms": p99Ms,
      "CPU µs a request": cpuUs,
      "peak MiB": inMebibytes(peakRssBytes),
    },
  };
}

function nameOf({ connections, streams }: Point): string {
  return `${connections}x${streams}`;
}

function question(
  operation: Operation,
  point: Point,
  { name, sizes, goal }: { name: string; sizes: readonly Size[]; goal?: Goal },
): SuiteQuestion {
  const { connections, streams } = point;
  return {
    name: `server/${NAMES[operation]}/${name}`,
    group: "server",
    about:
      `${ABOUT[operation]}, by h2load over ${connections} ${connections === 1 ? "connection" : "connections"} ` +
      `with ${streams} ${streams === 1 ? "request" : "requests"} at a time on each`,
    unit: `${NAMES[operation]}/s`,
    better: "more",
    durability: operation === "put" ? ON_DISK : "",
    ...(goal !== undefined && { goal }),
    rounds: ROUNDS,
    warmsUpItself: true,
    sizes,
    smokeSize: sizes[0] as Size,
    subjects: (size, context) => subjects(operation, point, size, context),
  };
}

function atPoint(operation: Operation, point: Point): SuiteQuestion {
  const name = nameOf(point);
  const atLeast = GOALS[operation][name];
  return question(operation, point, {
    name,
    sizes: [valueSizeOf(VALUE_BYTES)],
    ...(atLeast !== undefined && { goal: { kind: "ratio", peer: ETCD.name, atLeast } }),
  });
}

const BY_VALUE = {
  name: "by-value",
  sizes: [64, 1024, LARGE_VALUE_BYTES].map(valueSizeOf),
};

export const SERVER_LOAD: readonly SuiteQuestion[] = (["put", "get"] as const).flatMap(
  (operation) => [
    ...POINTS.map((point) => atPoint(operation, point)),
    question(operation, pointOf("10x10"), BY_VALUE),
  ],
);
