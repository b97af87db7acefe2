/** `downgrade cancel`. */
import type { Command } from "../../console/command.ts";
import { downgrade } from "./downgrade.ts";

export const command: Command = {
  usage: "downgrade cancel",
  description: "Gives up the downgrade that is under way.",
  examples: ["etcdctl downgrade cancel"],
  flags: [],
  run: async (args, io) => await downgrade(args, io, "cancel", ""),
};
