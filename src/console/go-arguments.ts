/**
 * Command lines as Go's cobra and pflag read them. Commander reads them in another way in four places that scripts can
 * feel: `--flag=false`, flags of any level in any place, command names cut short, and the words for what is wrong. So
 * what comes out of here has but one form, `--name=value`, and every name in it is known.
 *
 * @see spf13/pflag flag.go parseArgs, spf13/cobra command.go Find
 */
import { type CommandGroup, type CommandTree, groupFlags, isGroup } from "./command.ts";
import { UsageError } from "./failure.ts";
import type { FlagSpec } from "./flags.ts";

/** Every command knows it. */
export const HELP: FlagSpec = {
  name: "help",
  short: "h",
  kind: "bool",
  default: "false",
  help: "show this help",
};

export interface Found {
  /** From the program down to what was named. */
  readonly path: readonly CommandTree[];
  /** The arguments without the names of commands. */
  readonly rest: readonly string[];
  /** The first word that is left. */
  readonly unknown: string | undefined;
}

/** Goes down the tree as far as the words lead. Flags in between are skipped over. */
export function findCommand(
  root: CommandGroup,
  args: readonly string[],
  flags: readonly FlagSpec[],
): Found {
  const path: CommandTree[] = [root];
  let group: CommandGroup | undefined = root;
  let rest = args;
  let word = firstWord(rest, flags);
  while (group !== undefined && word !== undefined) {
    const next: CommandTree | undefined = pick(group.entries, rest[word] ?? "");
    if (next === undefined) break;
    path.push(next);
    rest = rest.toSpliced(word, 1);
    group = isGroup(next) ? next : undefined;
    word = firstWord(rest, [...groupFlags(path), ...flags]);
  }
  return { path, rest, unknown: word === undefined ? undefined : rest[word] };
}

/** By its name, or by the beginning of it if no other begins so. */
export function pick(entries: readonly CommandTree[], word: string): CommandTree | undefined {
  const exact = entries.find(({ name }) => name === word);
  if (exact !== undefined) return exact;
  const [only, ...more] = entries.filter(({ name }) => name.startsWith(word));
  return more.length === 0 ? only : undefined;
}

/** Where the first argument stands that is neither a flag nor, as far as can be told, a flag's value. */
function firstWord(args: readonly string[], flags: readonly FlagSpec[]): number | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return undefined;
    if (arg !== "" && !arg.startsWith("-")) return i;
    // A flag that is not known here yet is taken to have a value, as cobra does.
    const takesNext =
      (arg.startsWith("--") && !arg.includes("=") && !isSwitch(flags, arg.slice(2))) ||
      (/^-[^-=]$/.test(arg) && !isSwitch(flags, arg.slice(1)));
    if (takesNext) i++;
  }
  return undefined;
}

function isSwitch(flags: readonly FlagSpec[], name: string): boolean {
  return flags.some((flag) => flag.kind === "bool" && (flag.name === name || flag.short === name));
}

export interface GoArguments {
  /** Each as `--name=value`, in the order given. */
  readonly options: readonly string[];
  readonly positionals: readonly string[];
  /** Those of the positionals that stand behind `--`; undefined if it is not there. */
  readonly behindDashes?: readonly string[];
}

/** @throws UsageError in pflag's words for a flag that is unknown or lacks its value */
export function goArguments(args: readonly string[], flags: readonly FlagSpec[]): GoArguments {
  const options: string[] = [];
  const positionals: string[] = [];
  const left = [...args];
  let behindDashes: readonly string[] | undefined;
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === "--") {
      behindDashes = left.splice(0);
      positionals.push(...behindDashes);
    } else if (arg.startsWith("--")) {
      options.push(longFlag(arg, left, flags));
    } else if (arg.startsWith("-") && arg !== "-") {
      options.push(...shortFlags(arg.slice(1), left, flags));
    } else {
      positionals.push(arg);
    }
  }
  return { options, positionals, ...(behindDashes !== undefined && { behindDashes }) };
}

/** `--name`, `--name=value`, `--name value`. Takes its value off `left`. */
function longFlag(arg: string, left: string[], flags: readonly FlagSpec[]): string {
  const equals = arg.indexOf("=");
  const name = arg.slice(2, equals < 0 ? undefined : equals);
  if (name === "" || name.startsWith("-")) throw new UsageError(`bad flag syntax: ${arg}`);
  const flag = flags.find((known) => known.name === name);
  if (flag === undefined) throw new UsageError(`unknown flag: --${name}`);
  if (equals >= 0) return arg;
  if (flag.kind === "bool") return `${arg}=true`;
  const value = left.shift();
  if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`);
  return `${arg}=${value}`;
}

/** What follows one dash: `w=json`, `wjson`, `w` and the next argument, or several switches and then one of these. */
function shortFlags(letters: string, left: string[], flags: readonly FlagSpec[]): string[] {
  const options: string[] = [];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters.charAt(at);
    const flag = flags.find((known) => known.short === letter);
    if (flag === undefined) {
      throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters.slice(at)}`);
    }
    const rest = letters.slice(at + 1);
    if (rest.startsWith("=") && rest.length > 1) {
      options.push(`--${flag.name}${rest}`);
      break;
    }
    if (flag.kind === "bool") {
      options.push(`--${flag.name}=true`);
      continue;
    }
    const value = rest === "" ? left.shift() : rest;
    if (value === undefined) {
      throw new UsageError(`flag needs an argument: '${letter}' in -${letters.slice(at)}`);
    }
    options.push(`--${flag.name}=${value}`);
    break;
  }
  return options;
}
