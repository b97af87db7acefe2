/** `user revoke-role`. */
import type { Command } from "../../console/command.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";

export const command: Command = {
  usage: "user revoke-role <user name> <role name>",
  description: "Revokes a role from a user.",
  examples: ["etcdctl user revoke-role reader read-all"],
  flags: [],
  run: async (args, io) => {
    const what = "user revoke-role requires user name and role name as its argument";
    const [name = "", role = ""] = exactly(2, args, what);
    const said = `Role ${role} is revoked from user ${name}`;
    return await authCall(args, io, AUTH_METHODS.userRevokeRole, { name, role }, said);
  },
};
