/** `ETCD_*` variables stand for flags. @see etcd pkg/flags/flag.go */

import { type GoFlagValue, GoSyntaxError, goFlagValue } from "../../console/go-flag.ts";
import type { Io } from "../../console/io.ts";
import type { LogFields } from "../logging/logger.ts";
import { SERVER_FLAGS } from "./flag-table.ts";
import { ConfigError } from "./settings.ts";

/** Told before there is a log to tell it to. */
export interface Remark {
  readonly level: "info" | "warn";
  readonly message: string;
  readonly fields?: LogFields;
}

const PREFIX = "ETCD_";

export function variableOf(flagName: string): string {
  return PREFIX + flagName.toUpperCase().replaceAll("-", "_");
}

/**
 * @param given  flags of the command line
 * @returns these, and those that variables stand for
 * @throws ConfigError for a bad value, and for what both say
 */
export function withEnvironment(
  given: ReadonlyMap<string, GoFlagValue>,
  env: Io["env"],
  remark: (remark: Remark) => void,
): Map<string, GoFlagValue> {
  const values = new Map(given);
  const used = new Set(["ETCD_VERSION", "ETCD_UNSUPPORTED_ARCH"]);
  const version = env.ETCD_VERSION ?? "";
  if (version !== "") {
    const fields = { key: "ETCD_VERSION", value: version };
    remark({ level: "warn", message: "cannot set special environment variable", fields });
  }
  let fault: ConfigError | undefined;
  const shadowed = new Map<string, string>();
  for (const flag of SERVER_FLAGS.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = variableOf(flag.name);
    if (given.has(flag.name)) {
      shadowed.set(name, flag.name);
      continue;
    }
    const text = env[name] ?? "";
    used.add(name);
    if (text === "" || flag.name === "version") continue;
    try {
      values.set(flag.name, goFlagValue(flag, text));
      const fields = { "variable-name": name, "variable-value": text };
      remark({ level: "info", message: "recognized and used environment variable", fields });
    } catch (error) {
      if (!(error instanceof GoSyntaxError)) throw error;
      fault = new ConfigError(
        `invalid value ${JSON.stringify(text)} for ${name}: ${error.message}`,
      );
    }
  }
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || used.has(name)) continue;
    if (shadowed.has(name)) {
      throw new ConfigError(
        `conflicting environment variable ${JSON.stringify(name)} is shadowed by corresponding command-line flag (either unset environment variable or disable flag)`,
      );
    }
    if (!name.startsWith(PREFIX)) continue;
    const fields = { "environment-variable": `${name}=${value}` };
    remark({ level: "warn", message: "unrecognized environment variable", fields });
  }
  if (fault !== undefined) throw fault;
  return values;
}
