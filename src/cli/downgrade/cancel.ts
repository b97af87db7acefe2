/** `downgrade cancel`. */
import type { Command } from "../../console/command.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

export const command: Command = {
  usage: "downgrade cancel",
  examples: ["etcdctl downgrade cancel"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};
