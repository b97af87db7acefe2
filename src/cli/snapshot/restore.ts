/** `snapshot restore`. */
import type { Command } from "../../console/command.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

export const etcdctlRestore: Command = {
  usage: "snapshot restore",
  examples: ["etcdctl snapshot restore"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};

export const etcdutlRestore: Command = {
  usage: "snapshot restore",
  examples: ["etcdutl snapshot restore"],
  flags: [],
  run: async () => {
    throw new Failure(EXIT_ERROR, "not there yet");
  },
};
