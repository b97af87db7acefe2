/** The server, as a command: etcd's flags, variables and exit codes. @see etcd server/etcdmain/etcd.go */
import { reasonOf, StrataError } from "../base/errors.ts";
import { ETCD_VERSION, PRODUCT_VERSION } from "../base/version.ts";
import {
  EXIT_ERROR,
  EXIT_OF_SIGNAL,
  EXIT_SUCCESS,
  type StopSignal,
} from "../console/exit-codes.ts";
import { explain } from "../console/failure.ts";
import { GoFlagError } from "../console/go-flag.ts";
import type { Io } from "../console/io.ts";
import { type Invocation, readInvocation } from "../server/config/command-line.ts";
import type { LogConfig } from "../server/config/server-config.ts";
import { ConfigError } from "../server/config/settings.ts";
import { flagsText, USAGE } from "../server/config/usage.ts";
import type { LiveTarget } from "../server/live-settings.ts";
import { Log } from "../server/logging/log.ts";
import type { Logger } from "../server/logging/logger.ts";
import { type ReloadContext, reload } from "./reload.ts";

/** Go's, for flags that cannot be read. */
const EXIT_USAGE = 2;

const DEFAULT_LOG: LogConfig = { outputs: ["default"], level: "info", format: "json" };

/** What Go's runtime calls the signals. */
const SIGNAL_NAMES: Readonly<Record<StopSignal, string>> = {
  SIGINT: "interrupt",
  SIGTERM: "terminated",
};

/** @param args  without the program's name @returns the exit code, when it has ended */
export async function runServer(args: readonly string[], io: Io): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = await readInvocation(args, io.env);
  } catch (error) {
    if (!(error instanceof GoFlagError)) throw error;
    io.stderr.write(`${error.message}\n${USAGE}`);
    return EXIT_USAGE;
  }
  switch (invocation.kind) {
    case "help":
      io.stdout.write(`${USAGE}\n${flagsText()}`);
      return EXIT_SUCCESS;
    case "version":
      io.stdout.write(versionText());
      return EXIT_SUCCESS;
    case "refused":
    case "run":
      return await withLog(invocation, args, io);
  }
}

/** etcd's four lines, each with what stands in that place here. */
function versionText(): string {
  return [
    `etcd Version: ${ETCD_VERSION}`,
    `Git SHA: strata-${PRODUCT_VERSION}`,
    `Go Version: node-${process.version}`,
    `Go OS/Arch: ${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
    "",
  ].join("\n");
}

async function withLog(
  invocation: Extract<Invocation, { kind: "run" | "refused" }>,
  args: readonly string[],
  io: Io,
): Promise<number> {
  let log: Log;
  try {
    log = new Log(invocation.log ?? DEFAULT_LOG);
  } catch (error) {
    io.stderr.write(`${explain(error) ?? reasonOf(error)}\n`);
    return EXIT_ERROR;
  }
  const flush = (): void => log.flushNow();
  process.on("exit", flush);
  try {
    const logger = log.from("cli/strata");
    for (const { level, message, fields } of invocation.remarks) logger[level](message, fields);
    logger.info("Running: ", { args: ["strata", ...args] });
    if (invocation.kind === "run") {
      const context = { started: invocation, args, env: io.env, log: logger };
      return await serve(context, log, io);
    }
    const { message } = invocation.error;
    logger.warn("failed to verify flags", { error: message });
    io.stderr.write(`error verifying flags, ${message}. See 'etcd --help'.\n`);
    return EXIT_ERROR;
  } finally {
    await log.flushed();
    process.off("exit", flush);
  }
}

/** Until a signal comes. */
async function serve(context: ReloadContext, output: Log, io: Io): Promise<number> {
  const { started, log } = context;
  return await io.interruptible(async (signal) => {
    const hangups = new Hangups(io);
    try {
      const { EtcdServer } = await import("../server/server.ts");
      const server = await EtcdServer.run(started.config, {
        log,
        signal,
        waitsForLock: true,
        advertisesPorts: false,
      });
      const target: LiveTarget = {
        member: server.member,
        autoDefrag: server.autoDefrag,
        get level() {
          return output.level;
        },
        set level(level) {
          output.level = level;
        },
      };
      hangups.serve(() => reload(target, context));
      await aborted(signal);
      await hangups.end();
      log.info("received signal; shutting down", { signal: SIGNAL_NAMES[stopSignalOf(signal)] });
      await server.close();
    } catch (error) {
      if (!signal.aborted) return failed(error, log, io);
    } finally {
      await hangups.end();
    }
    return EXIT_OF_SIGNAL[stopSignalOf(signal)];
  });
}

/** One reload at a time; signals that come meanwhile are one more, and so are those that come during the start. */
class Hangups {
  readonly #undo: () => void;
  #serve: (() => Promise<void>) | undefined;
  #running: Promise<void> | undefined;
  #isWanted = false;

  constructor(io: Io) {
    this.#undo = io.onHangup(() => {
      this.#isWanted = true;
      this.#goOn();
    });
  }

  /** @param reload  never rejects */
  serve(reload: () => Promise<void>): void {
    this.#serve = reload;
    this.#goOn();
  }

  /** Twice is harmless. */
  async end(): Promise<void> {
    this.#undo();
    this.#isWanted = false;
    await this.#running;
  }

  #goOn(): void {
    if (!this.#isWanted || this.#serve === undefined || this.#running !== undefined) return;
    this.#isWanted = false;
    this.#running = this.#serve().then(() => {
      this.#running = undefined;
      this.#goOn();
    });
  }
}

/** In the log for those who read that, and in plain words for who has typed the command. */
function failed(error: unknown, log: Logger, io: Io): number {
  const isKnown = error instanceof ConfigError || error instanceof StrataError;
  const why = isKnown ? error.message : explain(error);
  if (why === undefined) throw error;
  log.fatal("failed to start etcd server", { error: why });
  io.stderr.write(`${why}\n`);
  return EXIT_ERROR;
}

function stopSignalOf({ reason }: AbortSignal): StopSignal {
  return reason === "SIGINT" ? "SIGINT" : "SIGTERM";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
