/** `user delete`. */
import type { Command } from "../../console/command.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";

export const command: Command = {
  usage: "user delete <user name>",
  description: "Deletes a user.",
  examples: ["etcdctl user delete reader"],
  flags: [],
  run: async (args, io) => {
    const what = "user delete command requires user name as its argument";
    const [name = ""] = exactly(1, args, what);
    return await authCall(args, io, AUTH_METHODS.userDelete, { name }, `User ${name} deleted`);
  },
};
