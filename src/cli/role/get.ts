/** `role get`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { connected } from "../session.ts";
import { roleViews } from "./permissions.ts";

export const command: Command = {
  usage: "role get <role name>",
  description: "Says what a role permits.",
  examples: ["etcdctl role get read-all"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [role = ""] = exactly(1, args, "role get command requires role name as its argument");
  return await connected(args, io, async ({ rpc, print }) => {
    await print(roleViews(role, await rpc.call(AUTH_METHODS.roleGet, { role })));
    return EXIT_SUCCESS;
  });
}
