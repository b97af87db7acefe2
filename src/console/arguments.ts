/** Words taken apart into what is a flag, with its value, and what is none. */
import type { Arguments } from "./command.ts";
import { type FlagSpec, readFlags } from "./flags.ts";
import { goArguments } from "./go-arguments.ts";

/**
 * Of a process, or of a line that is read as if it were one's.
 * @throws UsageError in pflag's words for a flag that is unknown, lacks its value, or has none of its kind
 */
export function argumentsOf(words: readonly string[], flags: readonly FlagSpec[]): Arguments {
  const { options, ...rest } = goArguments(words, flags);
  return { ...rest, flags: readFlags(options, flags) };
}
