/** `completion`. */
import type { Command } from "../console/command.ts";
import { EXIT_ERROR } from "../console/exit-codes.ts";
import { Failure } from "../console/failure.ts";

export const etcdctlCompletion: Command = {
  usage: "completion",
  examples: ["etcdctl completion"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};

export const etcdutlCompletion: Command = {
  usage: "completion",
  examples: ["etcdutl completion"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};
