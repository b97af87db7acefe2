/**
 * What a program is made of. A tree of names that is cheap to load, and one module per command that is loaded when its
 * command was named, so that `version` does not pay for `snapshot restore`.
 */
import type { FlagSpec, FlagValues } from "./flags.ts";
import type { Io } from "./io.ts";

export interface Arguments {
  /** What is neither a flag nor the command's name. */
  readonly positionals: readonly string[];
  /** Those of the positionals that stand behind `--`; undefined if it is not there. */
  readonly behindDashes?: readonly string[];
  readonly flags: FlagValues;
}

/** One command: what its module exports. */
export interface Command {
  /** After the program's name: `snapshot status <filename>`. */
  readonly usage: string;
  readonly description?: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  readonly flags: readonly FlagSpec[];
  /** @returns the exit code @throws Failure, and every operating error: whoever called it says them */
  run(args: Arguments, io: Io): Promise<number>;
}

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** Known to every command below it, and to the group itself. */
  readonly flags?: readonly FlagSpec[];
  readonly entries: readonly CommandTree[];
  /** What it does when no command below it is named. Without it, it shows its help. */
  readonly load?: () => Promise<Command>;
}

export type CommandTree = CommandEntry | CommandGroup;

/** What is installed under a name of its own. */
export interface Program extends CommandGroup {
  /** Known to every command. */
  readonly globalFlags: readonly FlagSpec[];
  /** In its help. */
  readonly version: string;
  readonly apiVersion?: string;
  /**
   * It reads its command line by itself, and writes its own help: a program whose flags are not pflag's.
   * @returns the exit code
   */
  readonly run?: (args: readonly string[], io: Io) => Promise<number>;
  /** A signal that stopped it ends it in the end, too, as Go's servers see to: who waits for it finds that out. */
  readonly endsBySignal?: boolean;
  /** Looked at before anything else. @throws Failure */
  readonly checkEnv?: (env: Io["env"]) => void;
}

/** What groups on the way to a command lend it. */
export function groupFlags(path: readonly CommandTree[]): FlagSpec[] {
  return path.flatMap((tree) => (isGroup(tree) ? (tree.flags ?? []) : []));
}

export function isGroup(tree: CommandTree): tree is CommandGroup {
  return "entries" in tree;
}
