/** `check perf`. */
import { systemClock } from "../../base/clock.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS, type StopSignal } from "../../console/exit-codes.ts";
import { explain, Interrupted } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { connected, type Session } from "../session.ts";
import { barOn } from "./bar.ts";
import { type LoadStats, pacedLoad } from "./load.ts";
import {
  checkFlags,
  cleanUp,
  defragEach,
  errorLines,
  putter,
  refuseUsedPrefix,
  type Size,
  sizeOf,
  withClients,
} from "./workload.ts";

export const command: Command = {
  usage: "check perf [options]",
  description:
    "Writes for a minute at a steady rate, and says whether the cluster keeps up: s 150, m 1000, l 8000, xl 15000 writes\n" +
    "a second from 50, 200, 500, 1000 clients. What was written is deleted in the end.",
  examples: ["etcdctl check perf --load=m"],
  flags: [
    ...checkFlags("/etcdctl-check-perf/"),
    { name: "duration", kind: "duration", default: "60s", help: "how long to write", hidden: true },
  ],
  run,
};

interface Load {
  readonly perSecond: number;
  readonly clients: number;
}

const LOADS: Readonly<Record<Size, Load>> = {
  s: { perSecond: 150, clients: 50 },
  m: { perSecond: 1000, clients: 200 },
  l: { perSecond: 8000, clients: 500 },
  xl: { perSecond: 15_000, clients: 1000 },
};

const BYTES = { keyBytes: 256, valueBytes: 1024 };

async function run(args: Arguments, io: Io): Promise<number> {
  const load = LOADS[sizeOf(args)];
  const prefix = args.flags.text("prefix");
  const durationMs = args.flags.number("duration");
  return await connected(args, io, async (session) => {
    const shown = `'etcdctl del --prefix ${prefix}'`;
    await refuseUsedPrefix(session, prefix, durationMs, shown);
    const stats = await io.interruptible(async (signal) => {
      const all = await underLoad(session, load, { prefix, durationMs, signal });
      await cleanUpOrSay(session, args, prefix);
      if (signal.aborted) throw new Interrupted(signal.reason as StopSignal);
      return all;
    });
    await defragEach(session, args);
    return verdict(io, load, stats);
  });
}

async function underLoad(
  session: Session,
  { perSecond, clients }: Load,
  run: { readonly prefix: string; readonly durationMs: number; readonly signal: AbortSignal },
): Promise<LoadStats> {
  const { prefix, durationMs, signal } = run;
  const bar = await barOn(session.io, Math.ceil(durationMs / 1000), "s");
  const ended = new AbortController();
  const startMs = systemClock.nowMs();
  const ticking = (async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await systemClock.sleep(1000, ended.signal);
      bar.update(Math.min(durationMs, systemClock.nowMs() - startMs) / 1000);
    }
  })();
  try {
    return await withClients(session, clients, async (rpcs) => {
      const put = putter(rpcs, prefix, BYTES);
      return await pacedLoad(perSecond, durationMs, { clients, put, signal });
    });
  } finally {
    ended.abort();
    await ticking;
    bar.end();
  }
}

/** What was measured is told all the same. */
async function cleanUpOrSay(session: Session, args: Arguments, prefix: string): Promise<void> {
  try {
    await cleanUp(session, args, prefix);
  } catch (error) {
    const why = explain(error);
    if (why === undefined) throw error;
    session.io.stdout.write(`FAIL: Cleanup failed during key deletion: ERROR(${why})\n`);
  }
}

const SLOWEST_MAX_MS = 500;
const DEVIATION_MAX_MS = 100;
const SHARE_MIN = 0.9;

function verdict(
  io: Io,
  load: Load,
  { perSecond, slowestMs, deviationMs, errors }: LoadStats,
): number {
  const rate = `${Math.floor(perSecond) + 1} writes/s\n`;
  const slowest = `${(slowestMs / 1000).toFixed(6)}s\n`;
  const deviation = `${(deviationMs / 1000).toFixed(6)}s\n`;
  const isFast = perSecond / load.perSecond > SHARE_MIN;
  const isPrompt = slowestMs <= SLOWEST_MAX_MS;
  const isEven = deviationMs <= DEVIATION_MAX_MS;
  const passed = errors.size === 0 && isFast && isPrompt && isEven;
  io.stdout.write(
    errorLines(errors) +
      (isFast ? `PASS: Throughput is ${rate}` : `FAIL: Throughput too low: ${rate}`) +
      (isPrompt ? "PASS: Slowest request took " : "Slowest request took too long: ") +
      slowest +
      (isEven ? "PASS: Stddev is " : "Stddev too high: ") +
      deviation +
      (passed ? "PASS\n" : "FAIL\n"),
  );
  return passed ? EXIT_SUCCESS : EXIT_ERROR;
}
