/** `role revoke-permission`. */
import { rawBytes, rawText } from "../../base/raw-text.ts";
import type { Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { authCall } from "../auth/auth-call.ts";
import { permissionRange, rangeFlags, rangeText } from "./permissions.ts";

export const command: Command = {
  usage: "role revoke-permission <role name> <key> [endkey]",
  description:
    "Takes from a role the permission that it has for just this key, or just this range.",
  examples: ["etcdctl role revoke-permission editor greeting"],
  flags: rangeFlags("revoke"),
  run: async (args, io) => {
    const [role, ...words] = args.positionals;
    if (role === undefined || words.length === 0) {
      const what =
        "role revoke-permission command requires role name and key [endkey] as its argument";
      throw new Failure(EXIT_BAD_ARGS, what);
    }
    const range = permissionRange(words, args.flags);
    // The key as it was typed.
    const [typed = ""] = words;
    const isOne = range.rangeEnd.length === 0;
    const keys = isOne
      ? `key ${typed}`
      : `range ${rawText(rangeText({ ...range, key: rawBytes(typed) }))}`;
    const said = `Permission of ${keys} is revoked from role ${role}`;
    return await authCall(args, io, AUTH_METHODS.roleRevokePermission, { role, ...range }, said);
  },
};
