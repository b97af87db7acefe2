/**
 * `--config-file`: YAML with the names of flags as keys. Durations are numbers of nanoseconds there, as Go's reader has
 * them; they may be written as on the command line, too, which etcd does not take.
 *
 * @see etcd server/embed/config.go configYAML
 */
import { parseDocument } from "yaml";
import { type GoFlagValue, GoSyntaxError, goFlagValue } from "../../console/go-flag.ts";
import { type ServerFlag, serverFlag } from "./flag-table.ts";
import { ConfigError } from "./settings.ts";

/** Keys of `client-transport-security` and `peer-transport-security`, and the flags they are. */
const SECURITY: Readonly<Record<string, readonly [client: string, peer: string]>> = {
  "cert-file": ["cert-file", "peer-cert-file"],
  "key-file": ["key-file", "peer-key-file"],
  "client-cert-file": ["client-cert-file", "peer-client-cert-file"],
  "client-key-file": ["client-key-file", "peer-client-key-file"],
  "client-cert-auth": ["client-cert-auth", "peer-client-cert-auth"],
  "trusted-ca-file": ["trusted-ca-file", "peer-trusted-ca-file"],
  "auto-tls": ["auto-tls", "peer-auto-tls"],
  "crl-file": ["client-crl-file", "peer-crl-file"],
  "allowed-cn": ["", "peer-cert-allowed-cn"],
  "allowed-hostname": ["client-cert-allowed-hostname", "peer-cert-allowed-hostname"],
  "skip-client-san-verification": ["", "peer-skip-client-san-verification"],
};

/** Where the file's key is not the flag's name. */
const OTHER_KEYS: ReadonlyMap<string, string> = new Map([
  ["experimental-snapshot-catch-up-entries", "experimental-snapshot-catchup-entries"],
]);

/** Where an empty text is none at all. */
const URL_FLAG = /-urls$/;

/** @returns values by the names of flags. Keys that no flag has are passed over, as etcd does. @throws ConfigError */
export function configFileValues(text: string): Map<string, GoFlagValue> {
  const values = new Map<string, GoFlagValue>();
  for (const [key, value] of entriesOf(rootOf(text))) {
    if (value === null || value === undefined) continue;
    if (key === "client-transport-security" || key === "peer-transport-security") {
      readSecurity(key, value, values);
      continue;
    }
    if (key === "socket-options") {
      for (const [name, on] of entriesOf(value))
        set(values, `socket-${name}`, `${key}.${name}`, on);
      continue;
    }
    set(values, OTHER_KEYS.get(key) ?? key, key, value);
  }
  return values;
}

function rootOf(text: string): unknown {
  const document = parseDocument(text, { logLevel: "silent" });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    const why = error.message.split("\n")[0] ?? "";
    throw new ConfigError(
      `error converting YAML to JSON: yaml: ${line === undefined ? "" : `line ${line}: `}${why}`,
    );
  }
  // A short text that stands for a gigabyte of aliases is refused by the library.
  const root: unknown = document.toJS();
  if (root === null || root === undefined) return {};
  if (typeof root !== "object" || Array.isArray(root)) {
    throw new ConfigError("the configuration file is no map of flags");
  }
  return root;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function readSecurity(section: string, value: unknown, values: Map<string, GoFlagValue>): void {
  if (typeof value !== "object" || Array.isArray(value))
    throw new ConfigError(`invalid ${section}`);
  const isPeer = section.startsWith("peer-");
  for (const [key, one] of entriesOf(value)) {
    const name = SECURITY[key]?.[isPeer ? 1 : 0] ?? "";
    if (name !== "" && one !== null) set(values, name, `${section}.${key}`, one);
  }
}

function set(values: Map<string, GoFlagValue>, name: string, key: string, value: unknown): void {
  const flag = serverFlag(name);
  if (flag === undefined || name === "config-file" || name === "version") return;
  if (URL_FLAG.test(name) && value === "") return;
  try {
    values.set(name, flagValueOf(flag, value));
  } catch (error) {
    if (!(error instanceof GoSyntaxError)) throw error;
    throw new ConfigError(
      URL_FLAG.test(name)
        ? `unexpected error setting up ${key}: ${error.message}`
        : `invalid value ${JSON.stringify(value)} for ${key}: ${error.message}`,
    );
  }
}

function isNumber(text: string): boolean {
  return text !== "" && Number.isFinite(Number(text));
}

function flagValueOf(flag: ServerFlag, value: unknown): GoFlagValue {
  const isText = typeof value === "string";
  switch (flag.kind) {
    case "bool":
      if (typeof value === "boolean") return value;
      break;
    case "duration":
      if (typeof value === "number") return value / 1e6;
      if (isText) return goFlagValue(flag, value);
      break;
    case "int":
    case "uint":
    case "uint32":
      if (typeof value === "number" && Number.isInteger(value))
        return goFlagValue(flag, BigInt(value).toString());
      break;
    case "list":
      if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
      if (isText) return value === "" ? [] : goFlagValue(flag, value);
      break;
    case "custom":
      if (Array.isArray(value)) return goFlagValue(flag, value.join(","));
      if (isText || (typeof value === "number" && isNumber(flag.default)))
        return goFlagValue(flag, String(value));
      break;
    case "string":
      if (isText) return value;
      // `auto-compaction-retention: 1`, `name: 1`: etcd's reader makes texts of numbers.
      if (typeof value === "number" || typeof value === "boolean") return String(value);
      break;
  }
  throw new GoSyntaxError(`cannot be a ${flag.kind}`);
}
