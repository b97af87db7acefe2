/** `get KEY [RANGE_END]`. @see etcd etcdctl/ctlv3/command/get_command.go */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_BAD_FEATURE, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec, FlagValues } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";
import { SortOrder, SortTarget } from "../../proto/messages.ts";
import { KV_METHODS, RANGE_RESPONSE, type RangeRequest } from "../../proto/tables/kv.ts";
import { encode, type Partially } from "../../proto/tables/message-table.ts";
import { goJsonLine } from "../print/go-json.ts";
import { rangeFields, rangeLines } from "../print/kv.ts";
import { connected } from "../session.ts";
import { keysOf, prefixFlags, refusePrefixAndFromKey } from "./keys.ts";

const toggle = (name: string, help: string): FlagSpec => ({
  name,
  kind: "bool",
  default: "false",
  help,
});
const int64 = (name: string, help: string): FlagSpec => ({
  name,
  kind: "int64",
  default: "0",
  help,
});
const text = (name: string, byDefault: string, help: string): FlagSpec => ({
  name,
  kind: "string",
  default: byDefault,
  help,
});

export const command: Command = {
  usage: "get [options] <key> [range_end]",
  description:
    "Gets a key, or the keys from <key> up to but without [range_end].\n" +
    "A key that is not there is no error: nothing is printed.",
  examples: [
    "etcdctl get greeting",
    "etcdctl get --prefix config/ --keys-only",
    "etcdctl get a c --sort-by=MODIFY --order=DESCEND --limit=10",
    "etcdctl get greeting --rev=5 --print-value-only",
    'etcdctl get --from-key "" --count-only --write-out=fields',
  ],
  flags: [
    ...prefixFlags("get"),
    text("consistency", "l", "linearizable (l) or serializable (s)"),
    text("order", "", "order of results: ASCEND or DESCEND (ASCEND by default)"),
    text("sort-by", "", "what to sort by: CREATE, KEY, MODIFY, VALUE or VERSION"),
    int64("limit", "most results; 0 is all"),
    int64("rev", "revision to read at; 0 is the newest"),
    toggle("keys-only", "get the keys without their values"),
    toggle("count-only", "get the number of keys only (with --write-out=fields)"),
    toggle("print-value-only", "print the values only (with --write-out=simple)"),
    int64("min-create-rev", "lowest revision of creation"),
    int64("max-create-rev", "highest revision of creation"),
    int64("min-mod-rev", "lowest revision of modification"),
    int64("max-mod-rev", "highest revision of modification"),
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const request = getRequest(args);
  return await connected(args, io, async ({ rpc, short, print, hex, flags }) => {
    const response = await rpc.call(KV_METHODS.range, request, short());
    const form = flags.text("write-out");
    if (flags.bool("count-only") && form !== "fields") {
      throw new Failure(EXIT_BAD_ARGS, "--count-only is only for `--write-out=fields`");
    }
    const valueOnly = flags.bool("print-value-only");
    if (valueOnly && form !== "simple") {
      throw new Failure(EXIT_BAD_ARGS, "print-value-only is only for `--write-out=simple`");
    }
    await print({
      simple: () => rangeLines(response, { hex, valueOnly }),
      fields: () => rangeFields(response),
      json: () => goJsonLine(RANGE_RESPONSE, response),
      protobuf: () => encode(RANGE_RESPONSE, response),
    });
    return EXIT_SUCCESS;
  });
}

/** @throws Failure for arguments that do not go together */
export function getRequest(args: Arguments): Partially<RangeRequest> {
  const { positionals, flags } = args;
  const [key] = positionals;
  if (key === undefined) {
    const what = "get command needs one argument as key and an optional argument as range_end";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  refusePrefixAndFromKey(args);
  if (flags.bool("keys-only") && flags.bool("count-only")) {
    const what = "`--keys-only` and `--count-only` cannot be set at the same time, choose one";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  const serializable = isSerializable(flags.text("consistency"));
  const keys = keysOf(key, args);
  const revision = flags.int64("rev");
  return {
    ...keys,
    serializable,
    limit: flags.int64("limit"),
    revision: revision > 0n ? revision : 0n,
    ...sorting(flags),
    keysOnly: flags.bool("keys-only"),
    countOnly: flags.bool("count-only"),
    ...bounds(flags),
  };
}

function isSerializable(consistency: string): boolean {
  if (consistency === "s") return true;
  if (consistency === "l") return false;
  const what = `unknown consistency flag ${JSON.stringify(consistency)}`;
  throw new Failure(EXIT_BAD_FEATURE, what);
}

const ORDERS: ReadonlyMap<string, number> = new Map([
  ["", SortOrder.none],
  ["ASCEND", SortOrder.ascend],
  ["DESCEND", SortOrder.descend],
]);

const TARGETS: ReadonlyMap<string, number> = new Map([
  ["", SortTarget.key],
  ["KEY", SortTarget.key],
  ["CREATE", SortTarget.create],
  ["MODIFY", SortTarget.mod],
  ["VALUE", SortTarget.value],
  ["VERSION", SortTarget.version],
]);

function sorting(flags: FlagValues): Pick<RangeRequest, "sortOrder" | "sortTarget"> {
  const order = flags.text("order");
  const sortOrder = ORDERS.get(order.toUpperCase());
  if (sortOrder === undefined) throw new Failure(EXIT_BAD_FEATURE, `bad sort order ${order}`);
  const by = flags.text("sort-by");
  const sortTarget = TARGETS.get(by.toUpperCase());
  if (sortTarget === undefined) throw new Failure(EXIT_BAD_FEATURE, `bad sort target ${by}`);
  // Keys come in ascending order anyway: etcd's client does not ask for it.
  const isGiven = sortTarget === SortTarget.key && sortOrder === SortOrder.ascend;
  return { sortTarget, sortOrder: isGiven ? SortOrder.none : sortOrder };
}

type Bounds = Pick<
  RangeRequest,
  "minModRevision" | "maxModRevision" | "minCreateRevision" | "maxCreateRevision"
>;

function bounds(flags: FlagValues): Bounds {
  const [minCreateRevision, maxCreateRevision] = bound(flags, "create-rev", "CreateRev");
  const [minModRevision, maxModRevision] = bound(flags, "mod-rev", "ModRev");
  return { minCreateRevision, maxCreateRevision, minModRevision, maxModRevision };
}

/** What is below 0 is no bound. @param goName  as etcd's text has it */
function bound(flags: FlagValues, name: string, goName: string): [bigint, bigint] {
  const min = flags.int64(`min-${name}`);
  const max = flags.int64(`max-${name}`);
  if (max > 0n && min > max) {
    throw new Failure(EXIT_BAD_FEATURE, `getMin${goName}(=${min}) > getMax${goName}(=${max})`);
  }
  return [min > 0n ? min : 0n, max > 0n ? max : 0n];
}
