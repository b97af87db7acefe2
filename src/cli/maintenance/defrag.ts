/** `defrag`: of a server that runs, with progress and a report. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";
import { PROGRESS, progressDisplay, progressMode } from "../../console/progress.ts";
import { humanBytes, humanMs } from "../../console/sizes.ts";
import {
  DEFRAGMENT_REPORT,
  type DefragmentReport,
  type DefragmentRequest,
  type DefragmentResponse,
  STRATA_METHODS,
} from "../../proto/tables/strata.ts";
import { refuseArguments } from "../arguments.ts";
import { goJsonLine } from "../print/go-json.ts";
import { connected } from "../session.ts";
import { follow, oneEndpoint } from "./calling.ts";

const FORCE: FlagSpec = {
  name: "force",
  kind: "bool",
  default: "false",
  help: "also where nothing would be gained",
};

const RATE: FlagSpec = {
  name: "rate",
  kind: "int",
  default: "0",
  help: "most MiB that are copied in a second; 0: as fast as it goes",
};

const MIB = 2n ** 20n;

export const command: Command = {
  usage: "defrag",
  description:
    "Rewrites the database of a running server without its free space, and says what came of it.\n" +
    "Reads and writes go on meanwhile. It takes as long as it takes, unless --command-timeout is given;\n" +
    "when this command is stopped, so is the work, and nothing of it is left.",
  examples: ["strata defrag", "strata defrag --rate=50", "strata defrag --force -w json"],
  flags: [FORCE, RATE, PROGRESS],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "defrag command accepts no arguments");
  const rate = args.flags.number(RATE.name);
  if (rate < 0) throw new Failure(EXIT_BAD_ARGS, `--rate: a rate is not negative: ${rate}`);
  const display = await progressDisplay(progressMode(args.flags.text(PROGRESS.name)), io);
  return await connected(args, io, async (session) => {
    const endpoint = oneEndpoint(session);
    const request = {
      force: args.flags.bool(FORCE.name),
      rateBytesPerSecond: BigInt(rate) * MIB,
    };
    const report = await follow<DefragmentRequest, DefragmentReport, DefragmentResponse>(
      session,
      STRATA_METHODS.defragment,
      request,
      display,
    );
    await session.print({
      simple: () => simple(endpoint, report),
      json: () => goJsonLine(DEFRAGMENT_REPORT, report),
    });
    return EXIT_SUCCESS;
  });
}

function simple(endpoint: string, report: DefragmentReport): string {
  const { outcome, reason, sizeBeforeBytes, sizeAfterBytes, tookMs, longestPauseMs } = report;
  if (outcome === "refused") return `Did not defragment member[${endpoint}]: ${reason}\n`;
  const sizes = [sizeBeforeBytes, sizeAfterBytes].map((size) => humanBytes(Number(size)));
  const rounds = report.rounds > 0n ? ` in ${report.rounds} rounds` : "";
  return (
    `Finished defragmenting member[${endpoint}]: ${sizes.join(" -> ")}, ` +
    `${humanMs(Number(tookMs))}${rounds}, longest pause of commits ${humanMs(Number(longestPauseMs))}\n`
  );
}
