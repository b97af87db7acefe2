/** What the server says of itself: one event a line, under a caller's name. */

/** By name, as zap's fields: numbers with their unit, durations as Go prints them. */
export type LogFields = Readonly<Record<string, LogValue>>;
export type LogValue = string | number | boolean | readonly string[];

export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The program ends after it; who calls it sees to that. */
  fatal(message: string, fields?: LogFields): void;
  /** The same log, under another caller's name: `server/tls`. */
  from(caller: string): Logger;
}
