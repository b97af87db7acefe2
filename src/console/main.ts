/** From a command line to an exit code. Nothing is thrown past here, and no stack is shown. */
import { Command as Commander } from "commander";
import {
  type Arguments,
  type Command,
  type CommandTree,
  groupFlags,
  isGroup,
  type Program,
} from "./command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "./exit-codes.ts";
import { endingOf, Failure, UsageError } from "./failure.ts";
import { type FlagSpec, FlagValues, optionOf } from "./flags.ts";
import { findCommand, type GoArguments, goArguments, HELP } from "./go-arguments.ts";
import { helpFormatter } from "./help.ts";
import type { Io } from "./io.ts";
import { suggestionsFor } from "./suggestions.ts";

/** @param args  without the program's name */
export async function main(program: Program, args: readonly string[], io: Io): Promise<number> {
  try {
    program.checkEnv?.(io.env);
    if (program.run !== undefined) return await program.run(args, io);
    return await dispatch(program, args, io);
  } catch (error) {
    const { text, exitCode } = endingOf(error, io.env.STRATA_DEBUG === "1");
    io.stderr.write(`${text}\n`);
    return exitCode;
  }
}

async function dispatch(program: Program, args: readonly string[], io: Io): Promise<number> {
  const known = [...program.globalFlags, HELP];
  const { path, rest, unknown } = findCommand(program, args, known);
  if (path.length === 1 && isHelp(program, unknown)) return await helpOn(program, rest, io);
  const tree = path.at(-1) ?? program;
  if (tree === program && program.load === undefined && unknown !== undefined) {
    throw new Failure(EXIT_ERROR, unknownCommand(program, unknown));
  }
  const command = await commandOf(program, tree);
  const flags = [...(command?.flags ?? []), ...groupFlags(path), ...known];
  const leaf = commanderOf(program, path, command);
  const help = (): void => {
    io.stdout.write(leaf.helpInformation());
  };
  let parsed: Arguments;
  try {
    parsed = await parse(leaf, goArguments(rest, flags));
    if (command === undefined || parsed.flags.bool(HELP.name)) {
      help();
      return EXIT_SUCCESS;
    }
    refuseMissing(parsed, flags);
  } catch (error) {
    if (error instanceof UsageError) help();
    throw error;
  }
  return await command.run(parsed, io);
}

async function commandOf(program: Program, tree: CommandTree): Promise<Command | undefined> {
  if (tree === program) return await program.load?.();
  return isGroup(tree) ? undefined : await tree.load();
}

/** The command that was named as commander knows it, under its parents. */
function commanderOf(
  program: Program,
  path: readonly CommandTree[],
  command: Command | undefined,
): Commander {
  let leaf = new Commander(program.name).exitOverride();
  for (const { name, summary } of path.slice(1)) leaf = leaf.command(name).summary(summary);
  const flags = [...(command?.flags ?? []), ...groupFlags(path), ...program.globalFlags, HELP];
  for (const flag of flags) leaf.addOption(optionOf(flag));
  return leaf
    .argument("[arguments...]")
    .action(() => undefined)
    .helpOption(false)
    .helpCommand(false)
    .configureHelp({ formatHelp: helpFormatter({ program, path, command }) });
}

/** Commander takes the flags apart, converts them and keeps their values. */
async function parse(leaf: Commander, { options, positionals }: GoArguments): Promise<Arguments> {
  await leaf.parseAsync([...options, "--", ...positionals], { from: "user" });
  const flags = new FlagValues(
    (name) => leaf.getOptionValue(name),
    (name) => leaf.getOptionValueSource(name) === "cli",
  );
  return { positionals, flags };
}

function refuseMissing({ flags }: Arguments, specs: readonly FlagSpec[]): void {
  const missing = specs.filter(({ name, required }) => required && !flags.given(name));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => JSON.stringify(name)).join(", ");
  throw new UsageError(`required flag(s) ${names} not set`);
}

function isHelp(program: Program, word: string | undefined): boolean {
  return program.entries.length > 0 && word === "help";
}

/** `help snapshot status`. An unknown topic is said, and the program's help shown instead; that is no failure. */
async function helpOn(program: Program, rest: readonly string[], io: Io): Promise<number> {
  const { positionals } = goArguments(rest, [...program.globalFlags, HELP]);
  const topic = positionals.slice(1);
  const { path, unknown } = findCommand(program, topic, []);
  if (path.length === 1 && unknown !== undefined) {
    io.stderr.write(`Unknown help topic [${topic.map((word) => `\`${word}\``).join(" ")}]\n`);
  }
  const command = await commandOf(program, path.at(-1) ?? program);
  io.stdout.write(commanderOf(program, path, command).helpInformation());
  return EXIT_SUCCESS;
}

function unknownCommand(program: Program, word: string): string {
  const names = program.entries.map(({ name }) => name).sort();
  const near = suggestionsFor(word, names);
  const asked =
    near.length === 0
      ? ""
      : `\n\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join("")}`;
  const what = `unknown command ${JSON.stringify(word)} for "${program.name}"${asked}`;
  return `${what}\nRun '${program.name} --help' for usage.`;
}
