/** What one `watch` asks for: the key and its range, and the command to run; by arguments, or by the environment. */
import { type RequestRange, requestRange } from "../../api/key-range.ts";
import { rawBytes } from "../../base/raw-text.ts";
import type { WatchAsk } from "../../client/watch/watch.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";

export const WATCH_FLAGS: readonly FlagSpec[] = [
  {
    name: "interactive",
    short: "i",
    kind: "bool",
    default: "false",
    help: "read watches from the standard input, a line each",
  },
  { name: "prefix", kind: "bool", default: "false", help: "watch the keys with this prefix" },
  {
    name: "rev",
    kind: "int64",
    default: "0",
    help: "the first revision to tell of; 0: what happens from now on",
  },
  {
    name: "prev-kv",
    kind: "bool",
    default: "false",
    help: "tell what the pair was before, too",
  },
  {
    name: "progress-notify",
    kind: "bool",
    default: "false",
    help: "be told from time to time how far the server is",
  },
];

export const WATCH_VARIABLES: readonly string[] = ["ETCDCTL_WATCH_KEY", "ETCDCTL_WATCH_RANGE_END"];

/** By the environment: none, a key, or a key and a range's end. @throws Failure 128 */
export function keysOfEnvironment({ env }: Pick<Io, "env">): readonly string[] {
  const { ETCDCTL_WATCH_KEY: key = "", ETCDCTL_WATCH_RANGE_END: end = "" } = env;
  if (key !== "") return end === "" ? [key] : [key, end];
  if (end === "") return [];
  const what = `ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END=${JSON.stringify(end)}`;
  throw new Failure(EXIT_BAD_ARGS, what);
}

export interface WatchLine {
  /** As they were given: the key, and the range's end if there is one. */
  readonly keys: readonly string[];
  /** Behind `--`; empty: none. */
  readonly exec: readonly string[];
}

/** @param fromEnvironment  @see keysOfEnvironment. @throws Failure 128 */
export function watchLine(
  { positionals, behindDashes }: Pick<Arguments, "positionals" | "behindDashes">,
  fromEnvironment: readonly string[],
): WatchLine {
  if (behindDashes?.length === 0) {
    throw bad("bad number of arguments (found separator --, but no commands)");
  }
  const exec = behindDashes ?? [];
  const keys = positionals.slice(0, positionals.length - exec.length);
  if (fromEnvironment.length === 0) return { keys, exec };
  if (keys.length > 0) throw bad("bad number of arguments (found conflicting environment key)");
  return { keys: fromEnvironment, exec };
}

/** @throws Failure 128: no key; two, and `--prefix` */
export function watchAsk({ keys }: WatchLine, { flags }: Pick<Arguments, "flags">): WatchAsk {
  return {
    ...rangeOf(keys, flags.bool("prefix")),
    startRevision: flags.int64("rev"),
    prevKv: flags.bool("prev-kv"),
    progressNotify: flags.bool("progress-notify"),
  };
}

function rangeOf([key, end, ...more]: readonly string[], isPrefix: boolean): RequestRange {
  if (key === undefined) throw bad("bad number of arguments");
  // As in etcdctl, only two are a range: of three, the first is meant.
  const isRange = end !== undefined && more.length === 0;
  if (isRange && isPrefix) throw bad("`range_end` and `--prefix` are mutually exclusive");
  const start = rawBytes(key);
  if (isPrefix) return requestRange({ prefix: start });
  return { key: start, rangeEnd: rawBytes(isRange ? end : "") };
}

function bad(what: string): Failure {
  return new Failure(EXIT_BAD_ARGS, what);
}
