/** `alarm disarm`: every alarm there is, one by one. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { type AlarmMember, MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { refuseArguments } from "../arguments.ts";
import { connected } from "../session.ts";
import { sharedLimit } from "../shared-limit.ts";
import { AlarmAction, alarmViews } from "./alarms.ts";

export const command: Command = {
  usage: "alarm disarm",
  description: "Disarms all alarms, and prints them. What raised one will raise it again.",
  examples: ["etcdctl alarm disarm"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "alarm disarm command accepts no arguments");
  return await connected(args, io, async ({ rpc, short, print }) => {
    const left = sharedLimit(short());
    const { alarm } = MAINTENANCE_METHODS;
    const armed = await rpc.call(alarm, { action: AlarmAction.get }, left());
    const alarms: AlarmMember[] = [];
    for (const one of armed.alarms) {
      const request = { ...one, action: AlarmAction.deactivate };
      alarms.push(...(await rpc.call(alarm, request, left())).alarms);
    }
    // Of several answers none has a header to show.
    await print(alarmViews({ header: undefined, alarms }));
    return EXIT_SUCCESS;
  });
}
