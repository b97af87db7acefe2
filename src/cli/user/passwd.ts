/** `user passwd`. */
import type { Command } from "../../console/command.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";
import { INTERACTIVE, newPassword } from "./passwords.ts";

export const command: Command = {
  usage: "user passwd <user name> [options]",
  description: "Changes a user's password.",
  examples: ["etcdctl user passwd reader", "etcdctl user passwd reader --interactive=false < file"],
  flags: [INTERACTIVE],
  run: async (args, io) => {
    const what = "user passwd command requires user name as its argument";
    const [name = ""] = exactly(1, args, what);
    const request = { name, password: await newPassword(args, io, name) };
    return await authCall(args, io, AUTH_METHODS.userChangePassword, request, "Password updated");
  },
};
