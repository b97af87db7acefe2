/** `user add`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS, type AuthUserAddRequest } from "../../proto/tables/auth.ts";
import type { Partially } from "../../proto/tables/message-table.ts";
import { exactly } from "../arguments.ts";
import { authCall } from "../auth/auth-call.ts";
import { INTERACTIVE, newPassword } from "./passwords.ts";

export const command: Command = {
  usage: "user add <user name or user:password> [options]",
  description: "Adds a user. A password that is not given is asked for, twice.",
  examples: ["etcdctl user add root", "etcdctl user add reader --no-password"],
  flags: [
    INTERACTIVE,
    {
      name: "new-user-password",
      kind: "string",
      default: "",
      help: "the password; the argument is taken whole as the name",
    },
    {
      name: "no-password",
      kind: "bool",
      default: "false",
      help: "a user who authenticates by the name in a certificate alone",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const request = await userToAdd(args, io);
  return await authCall(args, io, AUTH_METHODS.userAdd, request, `User ${request.name} created`);
}

async function userToAdd(
  args: Arguments,
  io: Io,
): Promise<Partially<AuthUserAddRequest> & { readonly name: string }> {
  const [user = ""] = exactly(1, args, "user add command requires user name as its argument");
  // Always there: whether there is a password is said, and not to be guessed.
  if (args.flags.bool("no-password")) return { name: user, options: { noPassword: true } };
  const options = { noPassword: false };
  const given = args.flags.text("new-user-password");
  if (given !== "") return { name: user, password: given, options };
  const colon = user.indexOf(":");
  if (colon < 0) return { name: user, password: await newPassword(args, io, user), options };
  if (colon === 0) throw new Failure(EXIT_BAD_ARGS, "empty user name is not allowed");
  return { name: user.slice(0, colon), password: user.slice(colon + 1), options };
}
