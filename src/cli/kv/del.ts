/** `del KEY [RANGE_END]`. @see etcd etcdctl/ctlv3/command/del_command.go */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import {
  DELETE_RANGE_RESPONSE,
  type DeleteRangeRequest,
  KV_METHODS,
} from "../../proto/tables/kv.ts";
import { encode, type Partially } from "../../proto/tables/message-table.ts";
import { goJsonLine } from "../print/go-json.ts";
import { deleteFields, deleteLines } from "../print/kv.ts";
import { connected } from "../session.ts";
import { keysOf, prefixFlags, refusePrefixAndFromKey } from "./keys.ts";

export const command: Command = {
  usage: "del [options] <key> [range_end]",
  description:
    "Deletes a key, or the keys from <key> up to but without [range_end], and prints how many there were.",
  examples: [
    "etcdctl del greeting",
    "etcdctl del --prefix config/ --prev-kv",
    "etcdctl del a c",
    'etcdctl del --from-key ""',
  ],
  flags: [
    ...prefixFlags("delete"),
    { name: "prev-kv", kind: "bool", default: "false", help: "return the pairs that were deleted" },
    {
      name: "range",
      kind: "bool",
      default: "false",
      help: "taken for etcd 3.6, which waits without it before it deletes a range; nothing waits here",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const request = deleteRequest(args);
  return await connected(args, io, async ({ rpc, short, print, hex }) => {
    const response = await rpc.call(KV_METHODS.deleteRange, request, short());
    await print({
      simple: () => deleteLines(response, { hex }),
      fields: () => deleteFields(response),
      json: () => goJsonLine(DELETE_RANGE_RESPONSE, response),
      protobuf: () => encode(DELETE_RANGE_RESPONSE, response),
    });
    return EXIT_SUCCESS;
  });
}

/** @throws Failure for arguments that do not go together */
export function deleteRequest(args: Arguments): Partially<DeleteRangeRequest> {
  const { positionals, flags } = args;
  const [key] = positionals;
  if (key === undefined || positionals.length > 2) {
    const what = "del command needs one argument as key and an optional argument as range_end";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  refusePrefixAndFromKey(args);
  return { ...keysOf(key, args), prevKv: flags.bool("prev-kv") };
}
