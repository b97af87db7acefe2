/** The command line of strata-inspect, read into a command of the inspection. */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { utf8 } from "../src/base/bytes.ts";
import { StrataError } from "../src/base/errors.ts";
import type { ProgressMode } from "../src/console/progress.ts";
import type { InspectCommand } from "../src/jobs/inspect/inspect.ts";

export interface InspectArguments {
  readonly path: string;
  readonly command: InspectCommand;
  readonly json: boolean;
  readonly hex: boolean;
  readonly redact: boolean;
  readonly progress: ProgressMode;
}

export type Parsed =
  | { readonly kind: "run"; readonly arguments: InspectArguments }
  /** Help was asked for, or the arguments are wrong. */
  | {
      readonly kind: "said";
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
    };

export const BAD_ARGUMENTS = 128;

interface Options {
  readonly output: "text" | "json";
  readonly prefix?: string;
  readonly rev?: number;
  readonly history?: true;
  readonly limit?: number;
  readonly hex?: true;
  readonly redact?: true;
  readonly progress: ProgressMode;
}

type Name = InspectCommand["name"];

/** What each command is, and which of the options that are not for all it takes. */
const COMMANDS: Readonly<
  Record<Name, { readonly usage: string; readonly takes: readonly string[] }>
> = {
  summary: { usage: "what the file is and holds, at a glance (the default)", takes: [] },
  buckets: { usage: "the tree of buckets, and what each takes", takes: [] },
  keys: {
    usage: "the live keys at a revision; with --history every revision that is left",
    takes: ["prefix", "rev", "history", "limit"],
  },
  get: { usage: "one key at a revision, its value whole", takes: ["rev"] },
  leases: { usage: "the leases, and the keys that hang on them", takes: ["limit"] },
  meta: { usage: "both meta pages in full, valid or not", takes: [] },
  pages: { usage: "every page: its type, what it holds, whether it is free", takes: [] },
  page: { usage: "one page, element by element", takes: [] },
  check: { usage: "everything that is wrong with the file; exit code 1 if anything is", takes: [] },
};

const OPERANDS: Partial<Record<Name, string>> = { get: "KEY", page: "N" };

/** Reads `strata-inspect FILE [command] …`; the command may stand before the file too. */
export function parseArguments(args: readonly string[]): Parsed {
  let stdout = "";
  let stderr = "";
  const program = new Command("strata-inspect")
    .description("Looks into an etcd database file, a snapshot or a data dir. Never writes to it.")
    .argument("<file>", "database file, snapshot file or etcd data dir")
    .argument("[command]", "see below", "summary")
    .argument("[operand]", "KEY of get, N of page")
    .addOption(
      new Option("-o, --output <form>", "form of the report")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--prefix <key>", "keys: only those that begin so")
    .option("--rev <revision>", "keys, get: as of that revision; 0 is the current one", wholeNumber)
    .option("--history", "keys: every revision, deletions too, in the order they were made")
    .option("--limit <n>", "keys, leases: so many at most; 0 is all", wholeNumber)
    .option("--hex", "keys and values in hex, KEY and --prefix too")
    .option("--redact", "leave values out: their lengths and CRC-32C instead")
    .addOption(
      new Option(
        "--progress <mode>",
        "how progress is shown on stderr; auto draws no bar beside a report",
      )
        .choices(["auto", "json", "none"])
        .default("auto"),
    )
    .addHelpText("after", commandHelp())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        stdout += text;
      },
      writeErr: (text) => {
        stderr += text;
      },
    });
  try {
    program.parse(args, { from: "user" });
    return { kind: "run", arguments: argumentsOf(program.args, program.opts<Options>()) };
  } catch (error) {
    if (error instanceof StrataError) {
      return { kind: "said", exitCode: BAD_ARGUMENTS, stdout, stderr: `Error: ${error.message}\n` };
    }
    if (!(error instanceof CommanderError)) throw error;
    const exitCode = error.exitCode === 0 ? 0 : BAD_ARGUMENTS;
    return { kind: "said", exitCode, stdout, stderr: stderr.replace(/^error:/, "Error:") };
  }
}

function argumentsOf(args: readonly string[], options: Options): InspectArguments {
  const [first = "", second] = args;
  const turned = second !== undefined && isName(first) && !isName(second);
  const path = turned ? second : first;
  const name = turned ? first : (second ?? "summary");
  if (!isName(name)) {
    throw badArgument(
      `unknown command ${JSON.stringify(name)}: there are ${Object.keys(COMMANDS).join(", ")}`,
    );
  }
  const { takes } = COMMANDS[name];
  for (const option of ["prefix", "rev", "history", "limit"] as const) {
    if (options[option] !== undefined && !takes.includes(option)) {
      throw badArgument(`${name} takes no --${option}`);
    }
  }
  const operand = args[2];
  const wanted = OPERANDS[name];
  if (wanted !== undefined && operand === undefined) throw badArgument(`${name} needs ${wanted}`);
  if (wanted === undefined && operand !== undefined) {
    throw badArgument(`${name} takes nothing more: ${JSON.stringify(operand)}`);
  }
  return {
    path,
    command: commandOf(name, operand ?? "", options),
    json: options.output === "json",
    hex: options.hex ?? false,
    redact: options.redact ?? false,
    progress: options.progress,
  };
}

function commandOf(name: Name, operand: string, options: Options): InspectCommand {
  const { rev = 0, limit = 0, history = false, prefix, hex = false } = options;
  switch (name) {
    case "keys": {
      const bytes = prefix === undefined ? undefined : keyOf(prefix, hex);
      return { name, revision: rev, history, limit, ...(bytes && { prefix: bytes }) };
    }
    case "get":
      return { name, revision: rev, history: false, limit: 0, key: keyOf(operand, hex) };
    case "leases":
      return { name, limit };
    case "page":
      return { name, id: pageNumber(operand) };
    default:
      return { name };
  }
}

function isName(text: string): text is Name {
  return Object.hasOwn(COMMANDS, text);
}

function keyOf(text: string, hex: boolean): Uint8Array {
  if (!hex) return utf8(text);
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw badArgument(`${JSON.stringify(text)} is not hex`);
  return new Uint8Array(Buffer.from(text, "hex"));
}

function pageNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badArgument(`${JSON.stringify(text)} is no page number`);
  return Number(text);
}

/** Numbers beyond 2^53 are beyond every revision too. */
function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 0 or more.");
  return Number(text);
}

function badArgument(message: string): StrataError {
  return new StrataError("BAD_ARGUMENT", message);
}

function commandHelp(): string {
  const lines = Object.entries(COMMANDS).map(([name, { usage }]) => {
    const operand = OPERANDS[name as Name];
    return `  ${(operand === undefined ? name : `${name} ${operand}`).padEnd(18)}${usage}`;
  });
  return `\nCommands:\n${lines.join("\n")}\n`;
}
