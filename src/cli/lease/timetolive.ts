/** `lease timetolive ID` */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { LEASE_METHODS, type LeaseTimeToLiveResponse } from "../../proto/tables/lease.ts";
import { field, headerFields, quotedField } from "../print/fields.ts";
import { leaseIdText } from "../print/ids.ts";
import type { Piece } from "../print/print.ts";
import { connected } from "../session.ts";
import { calling, headerBytes, leaseArgument, leaseJson } from "./answers.ts";

export const command: Command = {
  usage: "lease timetolive [options] <leaseID>",
  description: "Tells how long a lease was granted for, and how much of that is left.",
  examples: [
    "etcdctl lease timetolive 32695410dcc0ca06",
    "etcdctl lease timetolive --keys 32695410dcc0ca06",
  ],
  flags: [
    { name: "keys", kind: "bool", default: "false", help: "tell the keys that hang on it, too" },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [text, ...more] = args.positionals;
  if (text === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "lease timetolive command needs lease ID as argument");
  }
  const id = leaseArgument(text);
  const keys = args.flags.bool("keys");
  return await connected(args, io, async ({ rpc, print }) => {
    // As etcdctl: however long it takes.
    const response = await calling(rpc.call(LEASE_METHODS.timeToLive, { id, keys }));
    const { header } = response;
    await print({
      simple: () => sentence(response, keys),
      fields: () => fields(response),
      json: () => json(response),
      protobuf: () => headerBytes(header),
    });
    return EXIT_SUCCESS;
  });
}

/** Keys are printed byte for byte. */
function* sentence(response: LeaseTimeToLiveResponse, withKeys: boolean): Generator<Piece, void> {
  const { id, ttl, grantedTtl, keys } = response;
  if (grantedTtl === 0n && ttl === -1n) {
    yield `lease ${leaseIdText(id)} already expired\n`;
    return;
  }
  yield `lease ${leaseIdText(id)} granted with TTL(${grantedTtl}s), remaining(${ttl}s)`;
  if (withKeys) {
    yield ", attached keys([";
    for (const [i, key] of keys.entries()) {
      if (i > 0) yield " ";
      yield key;
    }
    yield "])";
  }
  yield "\n";
}

function* fields({ header, id, ttl, grantedTtl, keys }: LeaseTimeToLiveResponse): Generator<Piece> {
  yield headerFields(header) +
    field("ID", id) +
    field("TTL", ttl) +
    field("GrantedTTL", grantedTtl);
  for (const key of keys) yield quotedField("Key", key);
}

function json({ header, id, ttl, grantedTtl, keys }: LeaseTimeToLiveResponse): string {
  const list = keys.map((key) => `"${Buffer.from(key).toString("base64")}"`).join(",");
  return leaseJson(header, {
    id: String(id),
    ttl: String(ttl),
    "granted-ttl": String(grantedTtl),
    keys: keys.length === 0 ? "null" : `[${list}]`,
  });
}
