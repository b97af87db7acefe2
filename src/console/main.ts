/** From a command line to an exit code. Nothing is thrown past here, and no stack is shown. */
import { argumentsOf } from "./arguments.ts";
import { type Arguments, groupFlags, type Program } from "./command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "./exit-codes.ts";
import { endingOf, Failure, UsageError } from "./failure.ts";
import type { FlagSpec } from "./flags.ts";
import { findCommand, goArguments, HELP } from "./go-arguments.ts";
import type { HelpTopic } from "./help.ts";
import type { Io } from "./io.ts";
import { styled } from "./style.ts";

/** @param args  without the program's name */
export async function main(program: Program, args: readonly string[], io: Io): Promise<number> {
  try {
    program.checkEnv?.(io.env);
    if (program.run !== undefined) return await program.run(args, io);
    return await dispatch(program, args, io);
  } catch (error) {
    const { text, exitCode } = endingOf(error, io.env.STRATA_DEBUG === "1");
    io.stderr.write(`${text.replace(/^Error:/, (word) => styled(io.stderr, io, "red", word))}\n`);
    return exitCode;
  }
}

async function dispatch(program: Program, args: readonly string[], io: Io): Promise<number> {
  const known = [...program.globalFlags, HELP];
  const { path, rest, unknown } = findCommand(program, args, known);
  if (path.length === 1 && isHelp(program, unknown)) return await helpOnWords(program, rest, io);
  const tree = path.at(-1) ?? program;
  if (tree === program && program.load === undefined && unknown !== undefined) {
    throw new Failure(EXIT_ERROR, await unknownCommand(program, unknown));
  }
  const command = await tree.load?.();
  const flags = [...(command?.flags ?? []), ...groupFlags(path), ...known];
  const help = (): Promise<void> => showHelp({ program, path, command }, io);
  let parsed: Arguments;
  try {
    parsed = argumentsOf(rest, flags);
    if (command === undefined || parsed.flags.bool(HELP.name)) {
      await help();
      return EXIT_SUCCESS;
    }
    refuseMissing(parsed, flags);
  } catch (error) {
    if (error instanceof UsageError) await help();
    throw error;
  }
  return await command.run(parsed, io);
}

/** What it takes is loaded only here: few runs show help, and all of them would pay for it. */
async function showHelp(topic: HelpTopic, io: Io): Promise<void> {
  const { helpOn } = await import("./help.ts");
  const bold = (title: string): string => styled(io.stdout, io, "bold", title);
  io.stdout.write(helpOn(topic).replace(/^[A-Z ]+:$/gm, bold));
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
async function helpOnWords(program: Program, rest: readonly string[], io: Io): Promise<number> {
  const { positionals } = goArguments(rest, [...program.globalFlags, HELP]);
  const topic = positionals.slice(1);
  const { path, unknown } = findCommand(program, topic, []);
  if (path.length === 1 && unknown !== undefined) {
    io.stderr.write(`Unknown help topic [${topic.map((word) => `\`${word}\``).join(" ")}]\n`);
  }
  const command = await (path.at(-1) ?? program).load?.();
  await showHelp({ program, path, command }, io);
  return EXIT_SUCCESS;
}

async function unknownCommand(program: Program, word: string): Promise<string> {
  const { suggestionsFor } = await import("./suggestions.ts");
  const names = program.entries.map(({ name }) => name).sort();
  const near = suggestionsFor(word, names);
  const asked =
    near.length === 0
      ? ""
      : `\n\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join("")}`;
  const what = `unknown command ${JSON.stringify(word)} for "${program.name}"${asked}`;
  return `${what}\nRun '${program.name} --help' for usage.`;
}
