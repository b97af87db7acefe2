import { API_VERSION, PRODUCT_VERSION } from "../base/version.ts";
import type { Command, Program } from "../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../console/exit-codes.ts";
import { Failure } from "../console/failure.ts";

/** The server's place. */
const SERVER: Command = {
  usage: "",
  examples: ["strata --version"],
  flags: [{ name: "version", kind: "bool", default: "false", help: "print the version and exit" }],
  run: async ({ flags }, io) => {
    if (!flags.bool("version")) {
      throw new Failure(
        EXIT_ERROR,
        "the server is not there yet: this release has etcdctl, etcdutl and the tools",
      );
    }
    io.stdout.write(`strata Version: ${PRODUCT_VERSION}\nAPI version: ${API_VERSION}\n`);
    return EXIT_SUCCESS;
  },
};

export const STRATA: Program = {
  name: "strata",
  summary: "etcd's storage and server in TypeScript",
  version: PRODUCT_VERSION,
  apiVersion: API_VERSION,
  globalFlags: [],
  entries: [],
  load: async () => SERVER,
};
