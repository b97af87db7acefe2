/** `downgrade enable`. */
import type { Command } from "../../console/command.ts";
import { downgrade, targetVersion } from "./downgrade.ts";

export const command: Command = {
  usage: "downgrade enable <TARGET_VERSION>",
  description: "Begins a downgrade: members may be restarted in the older version, one by one.",
  examples: ["etcdctl downgrade enable 3.5"],
  flags: [],
  run: async (args, io) => await downgrade(args, io, "enable", targetVersion(args)),
};
