/** `downgrade validate`. */
import type { Command } from "../../console/command.ts";
import { downgrade, targetVersion } from "./downgrade.ts";

export const command: Command = {
  usage: "downgrade validate <TARGET_VERSION>",
  description: "Says whether the cluster can be downgraded to a version.",
  examples: ["etcdctl downgrade validate 3.5"],
  flags: [],
  run: async (args, io) => await downgrade(args, io, "validate", targetVersion(args)),
};
