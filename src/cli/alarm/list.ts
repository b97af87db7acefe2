/** `alarm list`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { refuseArguments } from "../arguments.ts";
import { connected } from "../session.ts";
import { AlarmAction, alarmViews } from "./alarms.ts";

export const command: Command = {
  usage: "alarm list",
  description: "Lists all alarms, one a line.",
  examples: ["etcdctl alarm list"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "alarm list command accepts no arguments");
  return await connected(args, io, async ({ rpc, short, print }) => {
    const request = { action: AlarmAction.get };
    await print(alarmViews(await rpc.call(MAINTENANCE_METHODS.alarm, request, short())));
    return EXIT_SUCCESS;
  });
}
