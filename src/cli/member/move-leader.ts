/** `move-leader`. */
import type { Command } from "../../console/command.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

export const command: Command = {
  usage: "move-leader",
  examples: ["etcdctl move-leader"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};
