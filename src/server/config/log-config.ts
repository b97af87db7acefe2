/** The flags of the log. @see etcd server/embed/config_logging.go */
import type { LogLevel } from "../logging/logger.ts";
import type { LogConfig } from "./server-config.ts";
import { ConfigError, type Settings } from "./settings.ts";

/** zap's levels; nothing here panics, so what only a panic would say is what is fatal. */
const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ["debug", "debug"],
  ["info", "info"],
  ["", "info"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["dpanic", "fatal"],
  ["panic", "fatal"],
  ["fatal", "fatal"],
]);

/** @throws ConfigError */
export function logConfigOf(settings: Settings): LogConfig {
  const outputs = settings.list("log-outputs");
  if (outputs.length > 1 && outputs.includes("default")) {
    throw new ConfigError('multi logoutput for "default" is not supported yet');
  }
  const levelText = settings.bool("debug") ? "debug" : settings.text("log-level");
  const level = LEVELS.get(levelText.toLowerCase());
  if (level === undefined) {
    throw new ConfigError(`unrecognized level: ${JSON.stringify(levelText)}`);
  }
  const format = settings.text("log-format");
  if (format !== "json" && format !== "console") {
    throw new ConfigError(`unknown log format: ${format}, supported values json, console`);
  }
  return { outputs: outputs.includes("/dev/null") ? ["/dev/null"] : outputs, level, format };
}
