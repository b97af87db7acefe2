/** `lock`. */
import type { Command } from "../../console/command.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

export const command: Command = {
  usage: "lock",
  examples: ["etcdctl lock"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};
