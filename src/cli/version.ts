/** `etcdctl version`, `etcdutl version`. */
import { API_VERSION, PRODUCT_VERSION } from "../base/version.ts";
import type { Command } from "../console/command.ts";
import { EXIT_SUCCESS } from "../console/exit-codes.ts";

/** Tells ours from etcd's own where a script looks at nothing else. */
export const SHOWN_VERSION: string = `${PRODUCT_VERSION}+strata`;

export function versionCommand(program: string): Command {
  return {
    usage: "version",
    description: "Prints the version of this program and that of the API it speaks.",
    examples: [`${program} version`],
    flags: [],
    run: async (_args, io) => {
      io.stdout.write(`${program} version: ${SHOWN_VERSION}\nAPI version: ${API_VERSION}\n`);
      return EXIT_SUCCESS;
    },
  };
}
