/** `lease grant TTL` */
import { reasonOf } from "../../base/errors.ts";
import { parseGoInt } from "../../base/go-int.ts";
import { goJson } from "../../base/go-json.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { LEASE_METHODS } from "../../proto/tables/lease.ts";
import { field, headerFields } from "../print/fields.ts";
import { leaseIdText } from "../print/ids.ts";
import { connected } from "../session.ts";
import { calling, headerBytes, leaseJson } from "./answers.ts";

export const command: Command = {
  usage: "lease grant <ttl>",
  description:
    "Makes a lease that lives for so many seconds, unless it is kept alive. The server may give more: its least is said.",
  examples: ["etcdctl lease grant 60"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const ttl = ttlOf(args);
  return await connected(args, io, async ({ rpc, short, print }) => {
    const { header, id, ...granted } = await calling(
      rpc.call(LEASE_METHODS.grant, { ttl }, short()),
      EXIT_ERROR,
      (why) => `failed to grant lease (${why})`,
    );
    await print({
      simple: () => `lease ${leaseIdText(id)} granted with TTL(${granted.ttl}s)\n`,
      fields: () => headerFields(header) + field("ID", id) + field("TTL", granted.ttl),
      json: () =>
        leaseJson(header, {
          ID: String(id),
          TTL: String(granted.ttl),
          Error: goJson(granted.error),
        }),
      protobuf: () => headerBytes(header),
    });
    return EXIT_SUCCESS;
  });
}

function ttlOf({ positionals: [text, ...more] }: Arguments): bigint {
  if (text === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "lease grant command needs TTL argument");
  }
  try {
    return parseGoInt(text, 10);
  } catch (error) {
    throw new Failure(EXIT_BAD_ARGS, `bad TTL (${reasonOf(error)})`, { cause: error });
  }
}
