/** `role add`. */
import type { Command } from "../../console/command.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";

export const command: Command = {
  usage: "role add <role name>",
  description: "Adds a role.",
  examples: ["etcdctl role add read-all"],
  flags: [],
  run: async (args, io) => {
    const what = "role add command requires role name as its argument";
    const [name = ""] = exactly(1, args, what);
    return await authCall(args, io, AUTH_METHODS.roleAdd, { name }, `Role ${name} created`);
  },
};
