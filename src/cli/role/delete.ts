/** `role delete`. */
import type { Command } from "../../console/command.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";

export const command: Command = {
  usage: "role delete <role name>",
  description: "Deletes a role.",
  examples: ["etcdctl role delete read-all"],
  flags: [],
  run: async (args, io) => {
    const what = "role delete command requires role name as its argument";
    const [name = ""] = exactly(1, args, what);
    return await authCall(
      args,
      io,
      AUTH_METHODS.roleDelete,
      { role: name },
      `Role ${name} deleted`,
    );
  },
};
