/** `jobs cancel ID` */
import { reasonOf } from "../../base/errors.ts";
import { parseGoInt } from "../../base/go-int.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { CANCEL_JOB_RESPONSE, STRATA_METHODS } from "../../proto/tables/strata.ts";
import { exactly } from "../arguments.ts";
import { goJsonLine } from "../print/go-json.ts";
import { connected } from "../session.ts";
import { ask, oneEndpoint } from "./calling.ts";

export const command: Command = {
  usage: "jobs cancel <id>",
  description:
    "Tells a job to stop. Who asked for the work is told that it was cancelled; nothing half-done is left.\n" +
    "A compaction cannot be cancelled: its history is given up already.",
  examples: ["strata jobs cancel 3", "strata jobs cancel 3 --endpoints=10.0.0.1:2379"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [text = ""] = exactly(1, args, "jobs cancel command needs the id of one job");
  const id = idOf(text);
  return await connected(args, io, async (session) => {
    oneEndpoint(session);
    const response = await ask(session, STRATA_METHODS.cancelJob, { id });
    await session.print({
      simple: () => `Job ${id} was told to stop\n`,
      json: () => goJsonLine(CANCEL_JOB_RESPONSE, response),
    });
    return EXIT_SUCCESS;
  });
}

function idOf(text: string): bigint {
  try {
    return parseGoInt(text, 10);
  } catch (error) {
    throw new Failure(EXIT_BAD_ARGS, `bad job id (${reasonOf(error)})`);
  }
}
