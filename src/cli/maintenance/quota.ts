/** `quota`, `quota SIZE` */
import { parseByteSize } from "../../base/byte-size.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { humanBytes } from "../../console/sizes.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { SET_QUOTA_RESPONSE, STRATA_METHODS } from "../../proto/tables/strata.ts";
import { goJsonLine } from "../print/go-json.ts";
import { connected, type Session } from "../session.ts";
import { ask, oneEndpoint } from "./calling.ts";

export const command: Command = {
  usage: "quota [<size> | default | none]",
  description:
    "Shows what the database of a running server may take, or changes it: a number of bytes, or one with a unit,\n" +
    "as in 8GiB, 512MiB or 2.5GB. The next start takes that of --quota-backend-bytes again.\n" +
    "An alarm that was raised stays, until it is disarmed or the server lifts it by itself.",
  examples: ["strata quota", "strata quota 8GiB", "strata quota default"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [text, ...more] = args.positionals;
  if (more.length > 0) throw new Failure(EXIT_BAD_ARGS, "quota command accepts one size");
  const asked = text === undefined ? undefined : quotaOf(text);
  return await connected(args, io, async (session) => {
    oneEndpoint(session);
    if (asked === undefined) await show(session);
    else await change(session, asked);
    return EXIT_SUCCESS;
  });
}

/** As --quota-backend-bytes. @throws Failure 128 */
function quotaOf(text: string): bigint {
  if (text === "default") return 0n;
  if (text === "none") return -1n;
  try {
    const bytes = parseByteSize(text);
    if (bytes > 0) return BigInt(bytes);
  } catch (error) {
    throw new Failure(EXIT_BAD_ARGS, reasonOf(error));
  }
  throw new Failure(EXIT_BAD_ARGS, "a quota is more than nothing; there are also default and none");
}

async function show({ rpc, short, print }: Session): Promise<void> {
  const status = await rpc.call(MAINTENANCE_METHODS.status, {}, short());
  const { header, dbSizeQuota, dbSize, dbSizeInUse } = status;
  if (dbSizeQuota === 0n) {
    throw new Failure(EXIT_ERROR, "this server does not say what its quota is: is it strata?");
  }
  const sizes = [dbSize, dbSizeInUse].map((size) => humanBytes(Number(size)));
  await print({
    simple: () =>
      `Quota: ${shown(dbSizeQuota)}; the database takes ${sizes[0]}, of which ${sizes[1]} are in use\n`,
    json: () =>
      goJsonLine(SET_QUOTA_RESPONSE, { header, quotaBytes: dbSizeQuota, quotaBytesBefore: 0n }),
  });
}

async function change(session: Session, quotaBytes: bigint): Promise<void> {
  const response = await ask(session, STRATA_METHODS.setQuota, { quotaBytes });
  await session.print({
    simple: () =>
      `Quota: ${shown(response.quotaBytes)}; it was: ${shown(response.quotaBytesBefore)}\n`,
    json: () => goJsonLine(SET_QUOTA_RESPONSE, response),
  });
}

function shown(bytes: bigint): string {
  return bytes < 0n ? "none" : `${bytes} bytes (${humanBytes(Number(bytes))})`;
}
