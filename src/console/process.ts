/** This process as a command's `Io`, and how an installed program begins and ends. */
import type { Program } from "./command.ts";
import { EXIT_OF_SIGNAL, type StopSignal } from "./exit-codes.ts";
import { endingOf } from "./failure.ts";
import type { Io } from "./io.ts";
import { main } from "./main.ts";

const SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM"];

/** Go's programs are ended by SIGPIPE when their reader goes away; Node ignores it, and is told by an error. */
const EXIT_SIGPIPE = 141;

export const PROCESS_IO: Io = {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: () => new Date(),
  interruptible: async (work) => {
    const controller = new AbortController();
    const stop = (signal: NodeJS.Signals): void => controller.abort(signal);
    // Once: a second signal finds no listener, and does what it does.
    for (const signal of SIGNALS) process.once(signal, stop);
    try {
      return await work(controller.signal);
    } finally {
      for (const signal of SIGNALS) process.off(signal, stop);
    }
  },
  onHangup: (called) => {
    process.on("SIGHUP", called);
    return () => process.off("SIGHUP", called);
  },
};

/** If that is what the exit code stands for. Process 1 cannot be ended so, and ends by itself. */
function endBySignal(exitCode: number): void {
  const signal = SIGNALS.find((one) => EXIT_OF_SIGNAL[one] === exitCode);
  if (signal === undefined) return;
  if (process.pid === 1) process.exit(0);
  process.kill(process.pid, signal);
}

/**
 * Runs a program with this process's arguments. The process ends by itself, when all is written.
 * @param args  without the program's name
 */
export async function runProcess(
  program: Program,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT_SIGPIPE);
      const { text, exitCode } = endingOf(error, false);
      // A disk that is full, say. There may be nobody to tell.
      if (stream === process.stdout) process.stderr.write(`${text}\n`);
      process.exit(exitCode);
    });
  }
  // Whatever was thrown where nobody waits for it: a bug, said in one line as any other.
  process.on("uncaughtException", (error: unknown) => {
    const { text, exitCode } = endingOf(error, process.env.STRATA_DEBUG === "1");
    process.stderr.write(`${text}\n`);
    process.exit(exitCode);
  });
  const exitCode = await main(program, args, PROCESS_IO);
  if (program.endsBySignal) endBySignal(exitCode);
  process.exitCode = exitCode;
}
