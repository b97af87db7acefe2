/** `user grant-role`. */
import type { Command } from "../../console/command.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";

export const command: Command = {
  usage: "user grant-role <user name> <role name>",
  description: "Grants a role to a user.",
  examples: ["etcdctl user grant-role reader read-all"],
  flags: [],
  run: async (args, io) => {
    const what = "user grant command requires user name and role name as its argument";
    const [user = "", role = ""] = exactly(2, args, what);
    const said = `Role ${role} is granted to user ${user}`;
    return await authCall(args, io, AUTH_METHODS.userGrantRole, { user, role }, said);
  },
};
