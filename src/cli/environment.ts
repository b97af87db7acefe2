/**
 * `ETCDCTL_*`: the global flags by other means. A variable that is empty counts as none, one that cannot be read is
 * passed over in silence, one that nothing asks for is warned of; a flag and its variable do not go together.
 *
 * @see etcd pkg/flags/flag.go SetPflagsFromEnv; the lines are those of etcdctl 3.4
 */
import { EXIT_ERROR } from "../console/exit-codes.ts";
import { BareFailure } from "../console/failure.ts";
import { type FlagSpec, type FlagValue, type FlagValues, parseValue } from "../console/flags.ts";
import type { Io } from "../console/io.ts";

const PREFIX = "ETCDCTL_";
/** It has been looked at before any command. */
const API = `${PREFIX}API`;

/**
 * @param alsoKnown  variables that the command itself reads
 * @throws BareFailure for a variable whose flag is given, too
 */
export function withEnvironment(
  flags: FlagValues,
  specs: readonly FlagSpec[],
  io: Pick<Io, "env" | "stderr" | "now">,
  alsoKnown: readonly string[] = [],
): FlagValues {
  const { env } = io;
  const values = new Map<string, FlagValue>();
  const used = new Set<string>([API, ...alsoKnown.filter((name) => env[name])]);
  const shadowed = new Set<string>();
  for (const spec of specs) {
    const name = variableOf(spec);
    const text = env[name] ?? "";
    if (flags.given(spec.name)) shadowed.add(name);
    else if (text !== "") {
      used.add(name);
      const value = readable(spec, text);
      if (value !== undefined) values.set(spec.name, value);
    }
  }
  for (const [name, text] of Object.entries(env)) {
    if (used.has(name)) continue;
    if (shadowed.has(name)) {
      const why =
        `conflicting environment variable ${JSON.stringify(name)} is shadowed by corresponding ` +
        "command-line flag (either unset environment variable or disable flag)";
      throw new BareFailure(EXIT_ERROR, logLine(io.now(), "C", why));
    }
    if (!name.startsWith(PREFIX)) continue;
    const what = `unrecognized environment variable ${name}=${text}`;
    io.stderr.write(`${logLine(io.now(), "W", what)}\n`);
  }
  return flags.with(values);
}

/** `ETCDCTL_DIAL_TIMEOUT` */
export function variableOf({ name }: FlagSpec): string {
  return `${PREFIX}${name.toUpperCase().replaceAll("-", "_")}`;
}

function readable(spec: FlagSpec, text: string): FlagValue | undefined {
  try {
    return parseValue(spec, text);
  } catch {
    return undefined;
  }
}

/** In local time, as etcd 3.4's plain logger has it. */
function logLine(now: Date, level: "C" | "W", message: string): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  const micros = String(now.getMilliseconds() * 1000).padStart(6, "0");
  return `${date} ${time}.${micros} ${level} | pkg/flags: ${message}`;
}
