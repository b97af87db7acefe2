/** From a command line, the environment and a file to what a server is run with. @see etcd server/etcdmain/config.go */
import { readWholeFile } from "../../../native-free/file.ts";
import { systemErrorText } from "../../console/failure.ts";
import { type GoFlagValue, readGoFlags } from "../../console/go-flag.ts";
import type { Io } from "../../console/io.ts";
import { type Remark, variableOf, withEnvironment } from "./environment.ts";
import { SERVER_FLAGS } from "./flag-table.ts";
import { logConfigOf } from "./log-config.ts";
import { type LogConfig, type ServerConfig, serverConfigOf, validate } from "./server-config.ts";
import { ConfigError, Settings } from "./settings.ts";

export interface RunInvocation {
  readonly kind: "run";
  readonly config: ServerConfig;
  readonly log: LogConfig;
  readonly remarks: readonly Remark[];
  /** What the configuration was made of. */
  readonly settings: Settings;
  /** Its path, if it was made of a file. */
  readonly configFile: string | undefined;
}

export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | RunInvocation
  /** Said in the log, if it is known by then where that is. */
  | {
      readonly kind: "refused";
      readonly error: ConfigError;
      readonly log: LogConfig | undefined;
      readonly remarks: readonly Remark[];
    };

/** @throws (rejects) GoFlagError: the usage is to be shown */
export async function readInvocation(args: readonly string[], env: Io["env"]): Promise<Invocation> {
  const { values, help, positionals } = readGoFlags(args, SERVER_FLAGS);
  if (help) return { kind: "help" };
  const remarks: Remark[] = [];
  let log: LogConfig | undefined;
  try {
    if (positionals.length > 0) throw new ConfigError(`'${positionals[0]}' is not a valid flag`);
    if (values.get("version") === true) return { kind: "version" };
    const file = values.get("config-file") || env[variableOf("config-file")] || "";
    const isFile = typeof file === "string" && file !== "";
    const settings = new Settings(
      isFile
        ? await fileValues(file, remarks)
        : withEnvironment(values, env, (remark) => remarks.push(remark)),
    );
    log = logConfigOf(settings);
    remarks.push(...remarksOn(settings));
    const config = serverConfigOf(settings);
    // A server that listens elsewhere must say where it is to be found; a file's default stands.
    const unsaid =
      !isFile &&
      settings.isGiven("listen-client-urls") &&
      !settings.isGiven("advertise-client-urls");
    const told: ServerConfig = {
      ...config,
      ...(unsaid && { advertiseClientUrls: [] }),
      // There are no peers: the port is taken only where somebody has named one.
      ...(!settings.isGiven("listen-peer-urls") && { listenPeerUrls: [] }),
    };
    validate(told);
    return {
      kind: "run",
      config: told,
      log,
      remarks,
      settings,
      configFile: isFile ? file : undefined,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { kind: "refused", error, log, remarks };
  }
}

async function fileValues(path: string, remarks: Remark[]): Promise<Map<string, GoFlagValue>> {
  let text: string;
  try {
    text = readWholeFile(path).toString("utf8");
  } catch (error) {
    const why = systemErrorText(error);
    if (why === undefined) throw error;
    throw new ConfigError(why);
  }
  remarks.push({
    level: "info",
    message:
      "loaded server configuration, other configuration command line flags and environment variables will be ignored if provided",
    fields: { path },
  });
  // Hardly anybody has one, and its reader takes long to load.
  const { configFileValues } = await import("./config-file.ts");
  return configFileValues(text);
}

/** @throws ConfigError for what there is not */
function remarksOn(settings: Settings): Remark[] {
  const remarks: Remark[] = [];
  const given = settings.given();
  for (const { name, relevance, default: off } of given) {
    if (relevance !== "refused" || settings.shown(name) === off) continue;
    throw new ConfigError(
      `--${name} is not supported: a strata is one member, alone in its cluster, that speaks v3`,
    );
  }
  const idle = given.filter(({ relevance }) => relevance === "accepted");
  if (idle.length > 0) {
    const flags = idle.map(({ name }) => name);
    remarks.push({
      level: "warn",
      message: "flags without effect on a member that is alone are ignored",
      fields: { flags },
    });
  }
  const old = given.filter(({ presentName }) => presentName !== undefined);
  for (const { name, presentName = "" } of old) {
    remarks.push({
      level: "warn",
      message: `--${name} is deprecated and will be decommissioned, use --${presentName} instead`,
    });
  }
  return remarks;
}
