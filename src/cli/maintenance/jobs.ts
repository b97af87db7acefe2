/** `jobs`: long work of a server, as it is now, or again and again. */
import { systemClock } from "../../base/clock.ts";
import type { Arguments, Command } from "../../console/command.ts";
import {
  EXIT_BAD_ARGS,
  EXIT_OF_SIGNAL,
  EXIT_SUCCESS,
  type StopSignal,
} from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";
import { STRATA_METHODS } from "../../proto/tables/strata.ts";
import { refuseArguments } from "../arguments.ts";
import { connected, type Session } from "../session.ts";
import { ask, oneEndpoint } from "./calling.ts";
import { jobViews } from "./job-views.ts";

const ALL: FlagSpec = {
  name: "all",
  kind: "bool",
  default: "false",
  help: "also those that are over, as far as the server remembers them",
};

const WATCH: FlagSpec = {
  name: "watch",
  kind: "bool",
  default: "false",
  help: "again and again, until it is stopped",
};

const INTERVAL: FlagSpec = {
  name: "interval",
  kind: "duration",
  default: "1s",
  help: "of --watch",
};

export const command: Command = {
  usage: "jobs",
  description:
    "Shows the long work of a running server: compactions, defragmentations, snapshots, checks and hashes; how far each\n" +
    "is, how fast it goes, and how long it will still take.",
  examples: [
    "strata jobs",
    "strata jobs --watch",
    "strata jobs --all -w json",
    "strata jobs --endpoints=10.0.0.1:2379 -w table",
  ],
  flags: [ALL, WATCH, INTERVAL],
  run,
};

/** The cursor to the first cell, and nothing from there on. */
const CLEAR = "\x1b[H\x1b[J";

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "jobs command accepts no arguments");
  const { flags } = args;
  const all = flags.bool(ALL.name);
  const intervalMs = flags.number(INTERVAL.name);
  if (intervalMs <= 0) throw new Failure(EXIT_BAD_ARGS, "--interval: it is more than nothing");
  return await connected(args, io, async (session) => {
    oneEndpoint(session);
    if (flags.bool(WATCH.name)) return await watch(session, all, intervalMs);
    await session.print(jobViews(await ask(session, STRATA_METHODS.jobs, { all }), all));
    return EXIT_SUCCESS;
  });
}

/** On a terminal in the same place; else one after another, for whoever reads the lines. */
async function watch(session: Session, all: boolean, intervalMs: number): Promise<number> {
  const { io, flags } = session;
  const redraws = io.stdout.isTTY === true && flags.text("write-out") !== "json";
  return await io.interruptible(async (signal) => {
    try {
      while (!signal.aborted) {
        const response = await ask(session, STRATA_METHODS.jobs, { all }, signal);
        if (redraws) io.stdout.write(CLEAR);
        await session.print(jobViews(response, all));
        await systemClock.sleep(intervalMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return EXIT_OF_SIGNAL[signal.reason as StopSignal];
  });
}
