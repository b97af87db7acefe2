/** `auth status`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { refuseArguments } from "../arguments.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "auth status",
  description: "Says whether authentication is on, and how often users and roles have changed.",
  examples: ["etcdctl auth status"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "auth status command does not accept any arguments");
  return await connected(args, io, async ({ rpc, short, print }) => {
    const response = await rpc.call(AUTH_METHODS.status, {}, short());
    const { enabled, authRevision } = response;
    await print({
      ...messageViews(AUTH_METHODS.status.output, response),
      simple: () => `Authentication Status: ${enabled}\nAuthRevision: ${authRevision}\n`,
    });
    return EXIT_SUCCESS;
  });
}
