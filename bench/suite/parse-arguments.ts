/** A program's arguments by commander, which neither prints nor exits by itself. */
import { type Command, CommanderError } from "commander";
import { UsageError } from "./usage-error.ts";

/**
 * @param program  with its options and arguments
 * @returns false if help was asked for, which is then written
 * @throws UsageError
 */
export function parseArguments(
  program: Command,
  args: readonly string[],
  write: (text: string) => void,
): boolean {
  program
    .allowExcessArguments(false)
    .configureOutput({ writeOut: write, writeErr: () => undefined })
    .exitOverride();
  try {
    program.parse([...args], { from: "user" });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    throw new UsageError(error.message.replace(/^error: /, "").replaceAll("\n", " "));
  }
}
