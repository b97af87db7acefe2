/** `user list`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { refuseArguments } from "../arguments.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "user list",
  description: "Lists the names of all users.",
  examples: ["etcdctl user list"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "user list command requires no arguments");
  return await connected(args, io, async ({ rpc, print }) => {
    const response = await rpc.call(AUTH_METHODS.userList, {});
    await print({
      ...messageViews(AUTH_METHODS.userList.output, response),
      simple: () => response.users.map((name) => `${name}\n`),
    });
    return EXIT_SUCCESS;
  });
}
