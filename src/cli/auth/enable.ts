/** `auth enable`: makes the root role and grants it to root, if nothing else is missing. */
import { EtcdError } from "../../base/errors.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { refuseArguments } from "../arguments.ts";
import { connected } from "../session.ts";
import { sharedLimit } from "../shared-limit.ts";

export const command: Command = {
  usage: "auth enable",
  description:
    "Switches authentication on. There must be a user `root`; its role of the same name is made if it is missing.",
  examples: ["etcdctl user add root", "etcdctl auth enable"],
  flags: [],
  run,
};

const ROOT = "root";

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "auth enable command does not accept any arguments");
  return await connected(args, io, async ({ rpc, short }) => {
    const left = sharedLimit(short());
    for (;;) {
      try {
        await rpc.call(AUTH_METHODS.enable, {}, left());
        break;
      } catch (error) {
        if (!(error instanceof EtcdError && error.code === "ROOT_ROLE_NOT_EXIST")) throw error;
      }
      await rpc.call(AUTH_METHODS.roleAdd, { name: ROOT }, left());
      await rpc.call(AUTH_METHODS.userGrantRole, { user: ROOT, role: ROOT }, left());
    }
    io.stdout.write("Authentication Enabled\n");
    return EXIT_SUCCESS;
  });
}
