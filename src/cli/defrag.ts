/** `defrag`; with `--data-dir DIR` the database of a member that is stopped. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { StrataError } from "../base/errors.ts";
import type { Arguments, Command } from "../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../console/exit-codes.ts";
import { explain, Failure } from "../console/failure.ts";
import type { FlagSpec } from "../console/flags.ts";
import type { Io } from "../console/io.ts";
import { runJob } from "../console/job.ts";
import { PROGRESS, progressMode } from "../console/progress.ts";
import { JobAborted } from "../jobs/outcome.ts";
import { CLUSTER } from "./cluster-flag.ts";

const DATA_DIR: FlagSpec = {
  name: "data-dir",
  kind: "string",
  default: "",
  help: "data directory of a member that is not running",
};

export const etcdutlDefrag: Command = {
  usage: "defrag --data-dir=<directory>",
  description:
    "Rewrites the database of a stopped member without its free space.\n" +
    "Waits while a running server holds it.",
  examples: ["etcdutl defrag --data-dir=default.etcd"],
  flags: [{ ...DATA_DIR, required: true }, PROGRESS],
  run,
};

/** Of members that run; etcd 3.4's also does what etcdutl's does. */
export const etcdctlDefrag: Command = {
  usage: "defrag [--cluster | --data-dir=<directory>]",
  description:
    "Rewrites the databases of members without their free space, one member after another.\n" +
    "A member answers nobody meanwhile: for a large database, give it a longer --command-timeout.",
  examples: [
    "etcdctl defrag --cluster --command-timeout=60s",
    "etcdctl defrag --data-dir=default.etcd",
  ],
  flags: [{ ...DATA_DIR, help: `${DATA_DIR.help}, in place of a running one` }, CLUSTER, PROGRESS],
  run: async (args, io) => {
    if (args.flags.text(DATA_DIR.name) !== "") return await run(args, io);
    const { defragOnline } = await import("./defrag-online.ts");
    return await defragOnline(args, io);
  },
};

async function run(args: Arguments, io: Io): Promise<number> {
  const dataDir = args.flags.text(DATA_DIR.name);
  const mode = progressMode(args.flags.text(PROGRESS.name));
  const { defragFile } = await import("../jobs/defrag.ts");
  await runJob(io, mode, async (pool, options) => {
    const database = join(dataDir, "member", "snap", "db");
    // Named whole if it is missing, and not by the part of its path that is.
    statSync(database);
    // etcd's rewrites also where there is nothing to gain.
    const work = (): Promise<unknown> => defragFile(pool, database, { ...options, force: true });
    await onceUnlocked(io, database, options.signal, work);
  }).catch((error: unknown) => {
    const why = explain(error);
    if (why === undefined || error instanceof JobAborted) throw error;
    throw new Failure(EXIT_ERROR, `Failed to defragment etcd data[${dataDir}] (${why})`);
  });
  return EXIT_SUCCESS;
}

const RETRY_MS = 500;

/** Tries again while a server holds the file, as etcd's waits for the lock. */
async function onceUnlocked<T>(
  io: Io,
  database: string,
  signal: AbortSignal = new AbortController().signal,
  work: () => Promise<T>,
): Promise<T> {
  for (let said = false; ; said = true) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StrataError && error.code === "LOCKED")) throw error;
      if (!said) io.stderr.write(`${waitingFor(database)}\n${error.message}\n`);
      await systemClock.sleep(RETRY_MS, signal);
      if (signal.aborted) throw new JobAborted();
    }
  }
}

/** etcd's note. Who holds it is in the line after it. */
function waitingFor(database: string): string {
  return (
    `waiting for etcd to close and release its lock on ${JSON.stringify(database)}. ` +
    "To defrag a running etcd instance, use `etcdctl defrag` instead."
  );
}
