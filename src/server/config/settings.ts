/** The values of the server's flags, from wherever they came, with the defaults of those that were not given. */
import { invariant } from "../../base/invariant.ts";
import { type GoFlagValue, goFlagValue } from "../../console/go-flag.ts";
import { SERVER_FLAGS, type ServerFlag, serverFlag } from "./flag-table.ts";

/** Settings that no server can run with. Its message is etcd's where etcd has one; the program ends with code 1. */
export class ConfigError extends Error {
  override readonly name: string = "ConfigError";
}

/** Flags by their present names: where an old name was given, it counts, as in etcd 3.6. */
export class Settings {
  readonly #given: ReadonlyMap<string, GoFlagValue>;
  readonly #old = new Map<string, GoFlagValue>();

  /** @param given  by the names they were given under */
  constructor(given: ReadonlyMap<string, GoFlagValue>) {
    this.#given = given;
    for (const [name, value] of given) {
      const { presentName } = flagNamed(name);
      if (presentName !== undefined) this.#old.set(presentName, value);
    }
  }

  /** Under whatever name. */
  isGiven(name: string): boolean {
    return this.#given.has(name) || this.#old.has(name);
  }

  /** Those that were given, in the table's order. */
  given(): readonly ServerFlag[] {
    return SERVER_FLAGS.filter(({ name }) => this.#given.has(name));
  }

  /** As it was given, for a message. */
  shown(name: string): string {
    return String(this.#value(name));
  }

  text(name: string): string {
    const value = this.#value(name);
    invariant(typeof value === "string", "a flag that is asked for as text is one", { name });
    return value;
  }

  number(name: string): number {
    const value = this.#value(name);
    invariant(typeof value === "number", "a flag that is asked for as a number is one", { name });
    return value;
  }

  bool(name: string): boolean {
    const value = this.#value(name);
    invariant(typeof value === "boolean", "a flag that is asked for as a switch is one", { name });
    return value;
  }

  list(name: string): readonly string[] {
    const value = this.#value(name);
    invariant(Array.isArray(value), "a flag that is asked for as a list is one", { name });
    return value;
  }

  #value(name: string): GoFlagValue {
    return this.#old.get(name) ?? this.#given.get(name) ?? defaultOf(flagNamed(name));
  }
}

function flagNamed(name: string): ServerFlag {
  const flag = serverFlag(name);
  invariant(flag !== undefined, "a flag that is asked for is in the table", { name });
  return flag;
}

export function defaultOf(flag: ServerFlag): GoFlagValue {
  if (flag.kind === "list" && flag.default === "") return [];
  return goFlagValue(flag, flag.default);
}
