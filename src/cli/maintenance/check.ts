/** `check`: the integrity of the database of a server that runs. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { PROGRESS, progressDisplay, progressMode } from "../../console/progress.ts";
import { humanBytes, humanMs } from "../../console/sizes.ts";
import {
  type CheckIntegrityRequest,
  type CheckIntegrityResponse,
  INTEGRITY_REPORT,
  type IntegrityReport,
  STRATA_METHODS,
} from "../../proto/tables/strata.ts";
import { refuseArguments } from "../arguments.ts";
import { goJsonLine } from "../print/go-json.ts";
import { connected } from "../session.ts";
import { follow, oneEndpoint } from "./calling.ts";

export const command: Command = {
  usage: "check",
  description:
    "Looks at every page of the database of a running server, as it is at the call. Reads and writes go on.\n" +
    "The exit code is 1 if there is any fault. It takes as long as it takes, unless --command-timeout is given.",
  examples: ["strata check", "strata check -w json"],
  flags: [PROGRESS],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  refuseArguments(args, "check command accepts no arguments");
  const display = await progressDisplay(progressMode(args.flags.text(PROGRESS.name)), io);
  return await connected(args, io, async (session) => {
    const endpoint = oneEndpoint(session);
    const report = await follow<CheckIntegrityRequest, IntegrityReport, CheckIntegrityResponse>(
      session,
      STRATA_METHODS.checkIntegrity,
      {},
      display,
    );
    await session.print({
      simple: () => (report.faultCount === 0n ? sound(endpoint, report) : ""),
      json: () => goJsonLine(INTEGRITY_REPORT, report),
    });
    if (report.faultCount > 0n) throw faulty(endpoint, report);
    return EXIT_SUCCESS;
  });
}

function sound(endpoint: string, { keys, pages, sizeBytes, tookMs }: IntegrityReport): string {
  const what = `${keys} keys in ${pages} pages of ${humanBytes(Number(sizeBytes))}`;
  return `The database of member[${endpoint}] is sound: ${what}, ${humanMs(Number(tookMs))}\n`;
}

function faulty(endpoint: string, { faultCount, faults }: IntegrityReport): Failure {
  const lines = faults.map(({ offsetBytes, what }) => `\noffset ${offsetBytes}: ${what}`);
  const more = faultCount - BigInt(faults.length);
  if (more > 0n) lines.push(`\n... and ${more} more`);
  const what = `the database of member[${endpoint}] has ${faultCount} ${faultCount === 1n ? "fault" : "faults"}:`;
  return new Failure(EXIT_ERROR, `${what}${lines.join("")}`);
}
