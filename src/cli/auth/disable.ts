/** `auth disable`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { refuseArguments } from "../arguments.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "auth disable",
  description: "Switches authentication off. Users and roles stay.",
  examples: ["etcdctl --user=root auth disable"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "auth disable command does not accept any arguments");
  return await connected(args, io, async ({ rpc, short }) => {
    await rpc.call(AUTH_METHODS.disable, {}, short());
    io.stdout.write("Authentication Disabled\n");
    return EXIT_SUCCESS;
  });
}
