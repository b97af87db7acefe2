/**
 * The log as zap writes etcd's: a JSON line an event, or columns with tabs between them. Lines go out beside the loop;
 * a reader that is too slow loses some, and memory stays bounded. Whoever ends the program flushes it.
 */
import { type Logger as PinoLogger, pino } from "pino";
import { openForAppending } from "../../../native-free/file.ts";
import { LineOutput } from "../../../native-free/line-output.ts";
import { consoleLine } from "./console-line.ts";
import type { LogFields, Logger, LogLevel } from "./logger.ts";
import { Sampler } from "./sampler.ts";

export type LogFormat = "json" | "console";

export interface LogOptions {
  /** `stderr`, `stdout`, `default`, or paths of files, which are appended to. */
  readonly outputs: readonly string[];
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** What waits for a slow reader. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

const STDOUT = 1;
const STDERR = 2;

/** Text has no lines of its own here: the lines are the events. */
export class Log {
  readonly #outputs: readonly LineOutput[];
  readonly #pino: PinoLogger;
  readonly #sampler = new Sampler();
  #level: LogLevel;

  /** @throws the system's errors, for a file that cannot be opened */
  constructor({ outputs, level, format }: LogOptions) {
    this.#outputs = [...new Set(outputs.map(descriptorOf))].map(
      (fd) => new LineOutput(fd, WAITING_BYTES_MAX),
    );
    this.#level = level;
    this.#pino = pino(
      {
        level,
        base: null,
        timestamp: () => `,"ts":"${new Date().toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line) => this.#write(format === "json" ? line : consoleLine(line)) },
    );
  }

  /** From now on, for all who speak. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
    this.#pino.level = level;
  }

  /** @param caller  where the events are from: `server/tls` */
  from(caller: string): Logger {
    const say = (level: LogLevel) => (msg: string, fields?: LogFields) => {
      if (!this.#sampler.lets(msg, Date.now())) return;
      this.#pino[level]({ caller, msg, ...fields });
    };
    return {
      debug: say("debug"),
      info: say("info"),
      warn: say("warn"),
      error: say("error"),
      fatal: say("fatal"),
      from: (other) => this.from(other),
    };
  }

  /** Resolves when everything that was said is written. */
  async flushed(): Promise<void> {
    await Promise.all(this.#outputs.map((output) => output.written()));
  }

  /** For a process that ends now. */
  flushNow(): void {
    for (const output of this.#outputs) output.writeNow();
  }

  #write(line: string): void {
    for (const output of this.#outputs) output.write(line);
  }
}

function descriptorOf(output: string): number {
  switch (output) {
    case "default":
    case "stderr":
    // A journal reads what its services say there.
    case "systemd/journal":
      return STDERR;
    case "stdout":
      return STDOUT;
    default:
      return openForAppending(output);
  }
}

const NOTHING = (): void => undefined;

/** For tests, and for a server in somebody's process that is to be quiet. */
export const SILENT: Logger = {
  debug: NOTHING,
  info: NOTHING,
  warn: NOTHING,
  error: NOTHING,
  fatal: NOTHING,
  from: () => SILENT,
};
