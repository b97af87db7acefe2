/** `endpoint hashkv`. */
import { goJson } from "../../base/go-json.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { tableOf } from "../../console/table.ts";
import {
  HASH_KV_RESPONSE,
  type HashKvResponse,
  MAINTENANCE_METHODS,
} from "../../proto/tables/maintenance.ts";
import { field, headerFields, quotedField } from "../print/fields.ts";
import { goJsonObject, goJsonOf } from "../print/go-json.ts";
import { connected } from "../session.ts";
import { ALL_COLUMNS } from "./all-columns.ts";
import { type Answered, askEach, targets } from "./targets.ts";

export const command: Command = {
  usage: "endpoint hashkv",
  description:
    "Prints a hash of each endpoint's keys and their history: members that agree have the same at the same revision.",
  examples: ["etcdctl endpoint hashkv --cluster --rev=1000"],
  flags: [
    {
      name: "rev",
      kind: "int64",
      default: "0",
      help: "maximum revision to hash (default: latest revision)",
    },
    ALL_COLUMNS,
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const request = { revision: args.flags.int64("rev") };
  return await connected(args, io, async (session) => {
    const { answers, failure } = await askEach(
      session,
      await targets(args, session),
      "hash",
      async (rpc, settings) => await rpc.call(MAINTENANCE_METHODS.hashKv, request, settings),
    );
    const columns = args.flags.bool(ALL_COLUMNS.name) ? 3 : 2;
    const rows = answers.map(({ endpoint, response: { hash, hashRevision } }) =>
      [endpoint, String(hash), String(hashRevision)].slice(0, columns),
    );
    await session.print({
      simple: () => rows.map((row) => `${row.join(", ")}\n`),
      table: () => tableOf(["endpoint", "hash", "hash_revision"].slice(0, columns), rows),
      json: () => `[${answers.map(hashJson).join(",")}]\n`,
      fields: () => answers.map(hashFields),
    });
    if (failure !== undefined) throw new Failure(EXIT_ERROR, failure);
    return EXIT_SUCCESS;
  });
}

type Answer = Answered<HashKvResponse>;

function hashJson({ endpoint, response }: Answer): string {
  return goJsonObject({
    Endpoint: goJson(endpoint),
    HashKV: goJsonOf(HASH_KV_RESPONSE, response),
  });
}

function hashFields({ endpoint, response }: Answer): string {
  const lines = [
    headerFields(response.header),
    quotedField("Endpoint", endpoint),
    field("Hash", response.hash),
    field("HashRevision", response.hashRevision),
  ];
  return `${lines.join("")}\n`;
}
