/** Which keys a command line means: `KEY`, `KEY RANGE_END`, `--prefix`, `--from-key`. */
import { type RequestRange, requestRange } from "../../api/key-range.ts";
import { rawBytes } from "../../base/raw-text.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";

export function prefixFlags(does: string): readonly FlagSpec[] {
  return [
    { name: "prefix", kind: "bool", default: "false", help: `${does} the keys with this prefix` },
    {
      name: "from-key",
      kind: "bool",
      default: "false",
      help: `${does} the keys from this one on, in the order of their bytes`,
    },
  ];
}

/** @throws Failure 128 */
export function refusePrefixAndFromKey({ flags }: Pick<Arguments, "flags">): void {
  if (!flags.bool("prefix") || !flags.bool("from-key")) return;
  const what = "`--prefix` and `--from-key` cannot be set at the same time, choose one";
  throw new Failure(EXIT_BAD_ARGS, what);
}

/**
 * An empty key with `--prefix` or `--from-key` is every key; an empty range end is none.
 * @param key  the first positional
 * @throws Failure 128
 */
export function keysOf(key: string, { positionals, flags }: Arguments): RequestRange {
  const rangeEnd = positionals[1];
  const isPrefix = flags.bool("prefix");
  const isFromKey = flags.bool("from-key");
  if (rangeEnd !== undefined && (isPrefix || isFromKey)) {
    const what =
      "too many arguments, only accept one argument when `--prefix` or `--from-key` is set";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  const start = rawBytes(key);
  if (isPrefix) return requestRange({ prefix: start });
  if (isFromKey) return requestRange({ start });
  return { key: start, rangeEnd: rawBytes(rangeEnd ?? "") };
}
