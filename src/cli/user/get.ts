/** `user get`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { messageViews } from "../print/message-views.ts";
import { roleViews } from "../role/permissions.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "user get <user name> [options]",
  description: "Says which roles a user has.",
  examples: ["etcdctl user get reader --detail"],
  flags: [
    {
      name: "detail",
      kind: "bool",
      default: "false",
      help: "show the permissions of the user's roles",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [name = ""] = exactly(1, args, "user get command requires user name as its argument");
  return await connected(args, io, async ({ rpc, print }) => {
    const response = await rpc.call(AUTH_METHODS.userGet, { name });
    if (args.flags.bool("detail")) {
      io.stdout.write(`User: ${name}\n`);
      for (const role of response.roles) {
        io.stdout.write("\n");
        await print(roleViews(role, await rpc.call(AUTH_METHODS.roleGet, { role })));
      }
      return EXIT_SUCCESS;
    }
    await print({
      ...messageViews(AUTH_METHODS.userGet.output, response),
      simple: () => `User: ${name}\nRoles:${response.roles.map((role) => ` ${role}`).join("")}\n`,
    });
    return EXIT_SUCCESS;
  });
}
