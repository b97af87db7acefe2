/** Commander takes the flags of one command apart, converts them and keeps their values. */
import { Command as Commander } from "commander";
import type { Arguments } from "./command.ts";
import { type FlagSpec, FlagValues, optionOf } from "./flags.ts";
import { type GoArguments, goArguments } from "./go-arguments.ts";

export function withFlags(leaf: Commander, flags: readonly FlagSpec[]): Commander {
  for (const flag of flags) leaf.addOption(optionOf(flag));
  return leaf
    .argument("[arguments...]")
    .action(() => undefined)
    .helpOption(false)
    .helpCommand(false);
}

/** @throws UsageError for values that are not of the flag's kind */
export async function takenApart(
  leaf: Commander,
  { options, ...words }: GoArguments,
): Promise<Arguments> {
  await leaf.parseAsync([...options, "--", ...words.positionals], { from: "user" });
  const flags = new FlagValues(
    (name) => leaf.getOptionValue(name),
    (name) => leaf.getOptionValueSource(name) === "cli",
  );
  return { ...words, flags };
}

/**
 * Words that are no command line of a process, but are read as one.
 * @throws UsageError in pflag's words
 */
export async function argumentsOf(
  words: readonly string[],
  flags: readonly FlagSpec[],
): Promise<Arguments> {
  return await takenApart(
    withFlags(new Commander().exitOverride(), flags),
    goArguments(words, flags),
  );
}
