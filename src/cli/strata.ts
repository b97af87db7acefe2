/**
 * `strata`: the server; and, under words of its own, commands for a server that runs. All flags of etcd's server begin
 * with a dash, so a word in the first place can only be one of those.
 */
import { API_VERSION } from "../base/version.ts";
import type { Program } from "../console/command.ts";
import { EXIT_SUCCESS } from "../console/exit-codes.ts";
import type { Io } from "../console/io.ts";
import { main } from "../console/main.ts";
import { checkApiVersion, ETCDCTL_GLOBAL_FLAGS } from "./global-flags.ts";
import { SHOWN_VERSION } from "./version.ts";

/** The commands. Their flags, variables and exit codes are etcdctl's. */
export const STRATA_COMMANDS: Program = {
  name: "strata",
  summary: "An etcd server of one member, and commands that look after one that runs",
  version: SHOWN_VERSION,
  apiVersion: API_VERSION,
  globalFlags: ETCDCTL_GLOBAL_FLAGS,
  checkEnv: checkApiVersion,
  entries: [
    {
      name: "check",
      summary: "Checks the integrity of a server's database while it runs",
      load: async () => (await import("./maintenance/check.ts")).command,
    },
    {
      name: "defrag",
      summary: "Defragments a server's database while it runs, and reports",
      load: async () => (await import("./maintenance/defrag.ts")).command,
    },
    {
      name: "jobs",
      summary: "Shows the long work of a server",
      load: async () => (await import("./maintenance/jobs.ts")).command,
      entries: [
        {
          name: "cancel",
          summary: "Stops a job of a server",
          load: async () => (await import("./maintenance/cancel.ts")).command,
        },
      ],
    },
    {
      name: "quota",
      summary: "Shows or changes the quota of a running server",
      load: async () => (await import("./maintenance/quota.ts")).command,
    },
  ],
};

export const STRATA: Program = {
  ...STRATA_COMMANDS,
  globalFlags: [],
  entries: [],
  run,
  endsBySignal: true,
};

async function run(args: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = args;
  if (first === "help" && rest.length === 0) {
    const { USAGE } = await import("../server/config/usage.ts");
    io.stdout.write(USAGE);
    return EXIT_SUCCESS;
  }
  if (first === "help" || STRATA_COMMANDS.entries.some(({ name }) => name === first)) {
    return await main(STRATA_COMMANDS, args, io);
  }
  const { runServer } = await import("./serve.ts");
  return await runServer(args, io);
}
