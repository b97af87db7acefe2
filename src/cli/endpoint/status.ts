/** `endpoint status`. */
import type { Command } from "../../console/command.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

export const command: Command = {
  usage: "endpoint status",
  examples: ["etcdctl endpoint status"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};
