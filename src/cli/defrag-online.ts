/** `defrag` of members that run. */
import type { Arguments } from "../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../console/exit-codes.ts";
import { explain } from "../console/failure.ts";
import type { Io } from "../console/io.ts";
import { MAINTENANCE_METHODS } from "../proto/tables/maintenance.ts";
import { targets } from "./endpoint/targets.ts";
import { connected } from "./session.ts";

/** One after another: a member that is defragmented answers nobody, and a cluster can spare one at a time. */
export async function defragOnline(args: Arguments, io: Io): Promise<number> {
  return await connected(args, io, async (session) => {
    let exitCode = EXIT_SUCCESS;
    for (const endpoint of await targets(args, session)) {
      try {
        const settings = { ...session.short(), endpoint };
        await session.rpc.call(MAINTENANCE_METHODS.defragment, {}, settings);
        io.stdout.write(`Finished defragmenting etcd member[${endpoint}]\n`);
      } catch (error) {
        const why = explain(error);
        if (why === undefined) throw error;
        io.stderr.write(`Failed to defragment etcd member[${endpoint}] (${why})\n`);
        exitCode = EXIT_ERROR;
      }
    }
    return exitCode;
  });
}
