/** `put KEY [VALUE]`: without a value, it is read from the standard input. */

import { rawBytes } from "../../base/raw-text.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { StandardInput } from "../../console/standard-input.ts";
import { KV_METHODS, PUT_RESPONSE, type PutRequest } from "../../proto/tables/kv.ts";
import { encode, type Partially } from "../../proto/tables/message-table.ts";
import { goJsonLine } from "../print/go-json.ts";
import { parseLeaseId } from "../print/ids.ts";
import { putFields, putLines } from "../print/kv.ts";
import { connected } from "../session.ts";

const NO_VALUE = "put command needs 1 argument and input from stdin or 2 arguments";

export const command: Command = {
  usage: "put [options] <key> <value> (<value> can also be given from stdin)",
  description:
    "Puts a key.\n" +
    "A value that begins with a dash stands behind `--`. Without a value, all of the standard input is it.",
  examples: [
    "etcdctl put greeting hello",
    "etcdctl put --lease=1234abcd greeting hello",
    "etcdctl put config < config.json",
    "etcdctl put number -- -5",
  ],
  flags: [
    {
      name: "lease",
      kind: "string",
      default: "0",
      help: "lease ID (in hexadecimal) to attach to the key",
    },
    { name: "prev-kv", kind: "bool", default: "false", help: "return the pair that was there" },
    { name: "ignore-value", kind: "bool", default: "false", help: "keep the present value" },
    { name: "ignore-lease", kind: "bool", default: "false", help: "keep the present lease" },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const request = await putRequest(args, io);
  return await connected(args, io, async ({ rpc, short, print, hex }) => {
    const response = await rpc.call(KV_METHODS.put, request, short());
    await print({
      simple: () => putLines(response, { hex }),
      fields: () => putFields(response),
      json: () => goJsonLine(PUT_RESPONSE, response),
      protobuf: () => encode(PUT_RESPONSE, response),
    });
    return EXIT_SUCCESS;
  });
}

export async function putRequest(
  { positionals, flags }: Arguments,
  io: Io,
): Promise<Partially<PutRequest>> {
  const [key, value] = positionals;
  const ignoreValue = flags.bool("ignore-value");
  if (key === undefined) throw new Failure(EXIT_BAD_ARGS, NO_VALUE);
  if (ignoreValue && value !== undefined) {
    const what = "put command needs only 1 argument when 'ignore-value' is set";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  const given = ignoreValue
    ? undefined
    : value === undefined
      ? await valueFromStdin(io)
      : rawBytes(value);
  return {
    key: rawBytes(key),
    value: given,
    lease: parseLeaseId(flags.text("lease")),
    prevKv: flags.bool("prev-kv"),
    ignoreValue,
    ignoreLease: flags.bool("ignore-lease"),
  };
}

async function valueFromStdin(io: Io): Promise<Uint8Array> {
  const value = await StandardInput.of(io).rest();
  if (value.length === 0) throw new Failure(EXIT_BAD_ARGS, NO_VALUE);
  return value;
}
