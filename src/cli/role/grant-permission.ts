/** `role grant-permission`. */
import type { Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { authCall } from "../auth/auth-call.ts";
import { permissionRange, permissionType, rangeFlags } from "./permissions.ts";

export const command: Command = {
  usage: "role grant-permission [options] <role name> <permission type> <key> [endkey]",
  description: "Permits a role to read, write or readwrite a key, or the keys of a range.",
  examples: [
    "etcdctl role grant-permission editor readwrite greeting",
    "etcdctl role grant-permission --prefix read-all read ''",
  ],
  flags: rangeFlags("grant"),
  run: async (args, io) => {
    const [name, type, ...range] = args.positionals;
    if (name === undefined || type === undefined || range.length === 0) {
      const what =
        "role grant command requires role name, permission type, and key [endkey] as its argument";
      throw new Failure(EXIT_BAD_ARGS, what);
    }
    const permType = permissionType(type);
    const perm = { permType, ...permissionRange(range, args.flags) };
    const request = { name, perm };
    return await authCall(
      args,
      io,
      AUTH_METHODS.roleGrantPermission,
      request,
      `Role ${name} updated`,
    );
  },
};
