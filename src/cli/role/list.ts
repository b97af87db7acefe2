/** `role list`. */
import { quoted } from "../../base/quote.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { refuseArguments } from "../arguments.ts";
import { headerFields } from "../print/fields.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "role list",
  description: "Lists the names of all roles.",
  examples: ["etcdctl role list"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "role list command requires no arguments");
  return await connected(args, io, async ({ rpc, print }) => {
    const response = await rpc.call(AUTH_METHODS.roleList, {});
    const { header, roles } = response;
    await print({
      ...messageViews(AUTH_METHODS.roleList.output, response),
      simple: () => roles.map((name) => `${name}\n`),
      fields: () =>
        `${headerFields(header)}"Roles" :${roles.map((name) => ` ${quoted(Buffer.from(name))}`).join("")}\n`,
    });
    return EXIT_SUCCESS;
  });
}
