/** `txn`: comparisons and operations, read from the standard input. @see etcd etcdctl/ctlv3/command/txn_command.go */
import { rawText } from "../../base/raw-text.ts";
import { argumentsOf } from "../../console/arguments.ts";
import { type Arguments, type Command, type CommandGroup, isGroup } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_INVALID_INPUT, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure, UsageError } from "../../console/failure.ts";
import { findCommand } from "../../console/go-arguments.ts";
import type { Io } from "../../console/io.ts";
import { StandardInput } from "../../console/standard-input.ts";
import { KV_METHODS, type RequestOp, TXN_RESPONSE } from "../../proto/tables/kv.ts";
import { encode, type Partially } from "../../proto/tables/message-table.ts";
import { txnFields, txnJson, txnLines } from "../print/kv.ts";
import { connected } from "../session.ts";
import { parseCompare } from "./compare.ts";
import { command as del, deleteRequest } from "./del.ts";
import { command as get, getRequest } from "./get.ts";
import { command as put, putRequest } from "./put.ts";
import { wordsOf } from "./words.ts";

export const command: Command = {
  usage: "txn [options]",
  description:
    "Runs operations as one, depending on comparisons. Three blocks of lines are read from the\n" +
    "standard input, each ended by an empty line: comparisons, the operations if all of them hold,\n" +
    "the operations if not.\n" +
    "\n" +
    '  comparison   TARGET("KEY") OPERATOR "VALUE"\n' +
    "               TARGET is ver[sion], c[reate], m[od], val[ue] or lease; OPERATOR is =, !=, < or >\n" +
    "  operation    a put, get or del command with its flags",
  examples: [
    "etcdctl txn --interactive",
    "printf '%s\\n' 'mod(\"k\") > \"0\"' '' 'put k new' '' 'put k first' '' | etcdctl txn",
  ],
  flags: [
    {
      name: "interactive",
      short: "i",
      kind: "bool",
      default: "false",
      help: "say which block is being read",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "txn command does not accept argument");
  }
  return await connected(args, io, async ({ rpc, print, hex, flags }) => {
    const lines = new Lines(io);
    const prompt = (text: string): void => {
      if (flags.bool("interactive")) io.stdout.write(`${text}\n`);
    };
    prompt("compares:");
    const compare = await lines.block(async (line) => parseCompare(line));
    prompt("success requests (get, put, del):");
    const success = await lines.block((line) => parseOperation(line, io));
    prompt("failure requests (get, put, del):");
    const failure = await lines.block((line) => parseOperation(line, io));
    // It may take as long as it takes: etcdctl's way.
    const response = await rpc.call(KV_METHODS.txn, { compare, success, failure });
    await print({
      simple: () => txnLines(response, { hex }),
      fields: () => txnFields(response),
      json: () => txnJson(response),
      protobuf: () => encode(TXN_RESPONSE, response),
    });
    return EXIT_SUCCESS;
  });
}

/**
 * Lines of a standard input that others read as well: it is taken in pieces of this size, and a `put` without a value
 * among the operations takes all that is behind the present piece. That is what Go's buffered reader makes of it.
 */
const PIECE_BYTES = 4096;
const NEWLINE = 10;

class Lines {
  readonly #input: StandardInput;
  #held: Buffer = Buffer.alloc(0);

  constructor(io: Io) {
    this.#input = StandardInput.of(io);
  }

  /** What becomes of the lines up to an empty one. @throws (rejects) Failure 3 if the input ends before it */
  async block<T>(parse: (line: string) => Promise<T>): Promise<T[]> {
    const parsed: T[] = [];
    for (let line = await this.#line(); line !== ""; line = await this.#line()) {
      parsed.push(await parse(line));
    }
    return parsed;
  }

  async #line(): Promise<string> {
    let end = this.#held.indexOf(NEWLINE);
    while (end < 0) {
      const more = await this.#input.some(PIECE_BYTES);
      if (more === undefined) throw new Failure(EXIT_INVALID_INPUT, "EOF");
      this.#held = Buffer.concat([this.#held, more]);
      end = this.#held.indexOf(NEWLINE);
    }
    const line = rawText(this.#held.subarray(0, end)).trim();
    this.#held = this.#held.subarray(end + 1);
    return line;
  }
}

type Request = (args: Arguments, io: Io) => Promise<Partially<RequestOp>>;

const REQUESTS: ReadonlyMap<Command, Request> = new Map<Command, Request>([
  [put, async (args, io) => ({ requestPut: await putRequest(args, io) })],
  [get, async (args) => ({ requestRange: getRequest(args) })],
  [del, async (args) => ({ requestDeleteRange: deleteRequest(args) })],
]);

const OPERATIONS: CommandGroup = {
  name: "txn",
  summary: "",
  entries: [
    { name: "put", summary: "", load: async () => put },
    { name: "get", summary: "", load: async () => get },
    { name: "del", summary: "", load: async () => del },
  ],
};

/** @throws (rejects) Failure 3 for what is no operation; Failure 128 or 4 as the command by itself */
async function parseOperation(line: string, io: Io): Promise<Partially<RequestOp>> {
  const words = wordsOf(line);
  if (words.length < 2) {
    throw new Failure(EXIT_INVALID_INPUT, `invalid txn compare request: ${line}`);
  }
  const { path, rest } = findCommand(OPERATIONS, words, []);
  const named = path.at(-1);
  const operation = named === undefined || isGroup(named) ? undefined : await named.load();
  const request = operation && REQUESTS.get(operation);
  if (operation === undefined || request === undefined) throw invalid(line);
  return await request(argumentsOn(line, rest, operation), io);
}

function argumentsOn(line: string, words: readonly string[], { flags }: Command): Arguments {
  try {
    return argumentsOf(words, flags);
  } catch (error) {
    throw error instanceof UsageError ? invalid(line) : error;
  }
}

function invalid(line: string): Failure {
  return new Failure(EXIT_INVALID_INPUT, `invalid txn request: ${line}`);
}
