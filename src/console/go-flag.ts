/**
 * Command lines as Go's package `flag` reads them, which is how the etcd server does: one dash is as good as two, no
 * short names, and the flags end at the first word that is none. (Its other commands use pflag: go-arguments.ts.)
 *
 * @see go src/flag/flag.go
 */
import { Command as Commander, Option } from "commander";
import { StrataError } from "../base/errors.ts";
import { parseGoDuration } from "../base/go-duration.ts";

/** Bits of an integer, or how a text is taken. A `list` is cut at its commas; `custom` texts are its owner's affair. */
export type GoFlagKind =
  | "string"
  | "bool"
  | "int"
  | "uint"
  | "uint32"
  | "duration"
  | "list"
  | "custom";

export interface GoFlag {
  readonly name: string;
  readonly kind: GoFlagKind;
  /** Of a `custom` one. @throws GoSyntaxError: it is no such value */
  readonly parse?: (text: string) => GoFlagValue;
}

/** Durations are in milliseconds. */
export type GoFlagValue = string | boolean | number | readonly string[];

/** What a text is not, in Go's words. */
export class GoSyntaxError extends Error {
  override readonly name: string = "GoSyntaxError";
}

/** The command line cannot be read. The program's usage follows, and exit code 2. */
export class GoFlagError extends Error {
  override readonly name: string = "GoFlagError";
}

export interface GoCommandLine {
  /** Of the flags that were given, by their names. The last one counts. */
  readonly values: ReadonlyMap<string, GoFlagValue>;
  /** `-h`, `-help`: nothing else matters then. */
  readonly help: boolean;
  readonly positionals: readonly string[];
}

/** Commander would take `--no-x` for the denial of `--x`, and call `--data-dir` dataDir. */
class GoOption extends Option {
  constructor(flag: GoFlag) {
    super(`--${flag.name} <${flag.kind}>`);
    this.negate = false;
    this.argParser((text: string) => parsed(flag, text));
  }

  override attributeName(): string {
    return this.name();
  }
}

/** @throws GoFlagError in Go's words */
export function readGoFlags(args: readonly string[], flags: readonly GoFlag[]): GoCommandLine {
  const known = new Map(flags.map((flag) => [flag.name, flag]));
  const command = new Commander().exitOverride().helpOption(false).allowExcessArguments();
  const options: string[] = [];
  const offered = new Set<string>();
  let at = 0;
  let help = false;
  let fault: string | undefined;
  for (; at < args.length && !help; at++) {
    const arg = args[at] ?? "";
    if (arg.length < 2 || !arg.startsWith("-")) break;
    if (arg === "--") {
      at++;
      break;
    }
    const word = arg.slice(arg.startsWith("--") ? 2 : 1);
    if (word === "" || word.startsWith("-") || word.startsWith("=")) {
      fault = `bad flag syntax: ${arg}`;
      break;
    }
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const flag = known.get(name);
    if (flag === undefined) {
      help = name === "help" || name === "h";
      if (!help) fault = `flag provided but not defined: -${name}`;
      break;
    }
    let value = equals < 0 ? undefined : word.slice(equals + 1);
    if (value === undefined && flag.kind === "bool") value = "true";
    if (value === undefined) value = args[++at];
    if (value === undefined) {
      fault = `flag needs an argument: -${name}`;
      break;
    }
    if (!offered.has(name)) command.addOption(new GoOption(flag));
    offered.add(name);
    options.push(`--${name}=${value}`);
  }
  // A value that is wrong stands before whatever was wrong after it.
  command.parse(options, { from: "user" });
  if (fault !== undefined) throw new GoFlagError(fault);
  const values = new Map<string, GoFlagValue>();
  for (const name of offered) values.set(name, command.getOptionValue(name) as GoFlagValue);
  return { values, help, positionals: args.slice(at) };
}

function parsed(flag: GoFlag, text: string): GoFlagValue {
  try {
    return goFlagValue(flag, text);
  } catch (error) {
    if (!(error instanceof GoSyntaxError)) throw error;
    const [what, dash] = flag.kind === "bool" ? ["boolean value", "for"] : ["value", "for flag"];
    throw new GoFlagError(
      `invalid ${what} ${JSON.stringify(text)} ${dash} -${flag.name}: ${error.message}`,
    );
  }
}

/** What a text means to a flag. @throws GoSyntaxError in Go's words: `parse error`, `value out of range`, others */
export function goFlagValue(flag: GoFlag, text: string): GoFlagValue {
  switch (flag.kind) {
    case "string":
      return text;
    case "list":
      return text.split(",");
    case "bool":
      return parseBool(text);
    case "int":
      return parseInteger(text, -(2n ** 63n), 2n ** 63n - 1n);
    case "uint":
      return parseInteger(text, 0n, 2n ** 64n - 1n);
    case "uint32":
      return parseUint32(text);
    case "duration":
      return parseDuration(text);
    case "custom":
      return flag.parse === undefined ? text : flag.parse(text);
  }
}

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "false", "FALSE", "False"]);

function parseBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new GoSyntaxError("parse error");
}

/** Decimal, or by prefix hexadecimal, octal, binary; `_` between digits. */
const INTEGER =
  /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?\d)*)$/;

function integerOf(text: string): bigint | undefined {
  const [whole, sign = "", digits = ""] = INTEGER.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const plain = digits.replaceAll("_", "").replace(/^0(?=\d)/, "0o");
  return sign === "-" ? -BigInt(plain) : BigInt(plain);
}

/** @returns rounded where a number cannot hold it: nobody counts that far */
function parseInteger(text: string, min: bigint, max: bigint): number {
  const value = integerOf(text);
  if (value === undefined || (min === 0n && /^[+-]/.test(text))) {
    throw new GoSyntaxError("parse error");
  }
  if (value < min || value > max) throw new GoSyntaxError("value out of range");
  return Number(value);
}

/** etcd's own kind of flag, with the words of strconv. */
function parseUint32(text: string): number {
  const what = `strconv.ParseUint: parsing ${JSON.stringify(text)}`;
  const value = integerOf(text);
  if (value === undefined || /^[+-]/.test(text)) throw new GoSyntaxError(`${what}: invalid syntax`);
  if (value > 2n ** 32n - 1n) throw new GoSyntaxError(`${what}: value out of range`);
  return Number(value);
}

function parseDuration(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    if (error instanceof StrataError) throw new GoSyntaxError("parse error");
    throw error;
  }
}
