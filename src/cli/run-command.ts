/** Runs a command of the user's, as Go's os/exec does it and with its words for how it ended. */
import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { systemErrorText } from "../console/failure.ts";
import type { Io } from "../console/io.ts";

/** How it went wrong. */
export interface CommandFault {
  /** `exit status 1`, `signal: killed`, `fork/exec /bin/nosuch: no such file or directory` */
  readonly text: string;
  /** Its own; 255 if a signal ended it, as Go's -1 is seen by a shell; undefined if it was not started. */
  readonly exitCode: number | undefined;
}

/** glibc's words, in Go's lower case, for the signals that end processes most. */
const SIGNAL_WORDS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGQUIT: "quit",
  SIGILL: "illegal instruction",
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGPIPE: "broken pipe",
  SIGALRM: "alarm clock",
  SIGTERM: "terminated",
};

/**
 * Without input, with this process's outputs, until it has ended.
 * @param argv  not empty. @returns undefined if it went well
 */
export function runCommand(
  { stdout, stderr }: Pick<Io, "stdout" | "stderr">,
  argv: readonly string[],
  env: Io["env"],
): Promise<CommandFault | undefined> {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...env },
      stdio: ["ignore", descriptorOf(stdout) ?? "pipe", descriptorOf(stderr) ?? "pipe"],
    });
    child.stdout?.pipe(stdout, { end: false });
    child.stderr?.pipe(stderr, { end: false });
    child.once("error", (error) => {
      resolve({ text: startFault(program, error), exitCode: undefined });
    });
    child.once("close", (code, signal) => {
      if (code === 0) resolve(undefined);
      else if (signal === null)
        resolve({ text: `exit status ${code}`, exitCode: code ?? undefined });
      else resolve({ text: `signal: ${SIGNAL_WORDS[signal] ?? signal}`, exitCode: 255 });
    });
  });
}

/** The child writes there itself: in order, and to a terminal if it is one. */
function descriptorOf(stream: Writable): number | undefined {
  return "fd" in stream && typeof stream.fd === "number" ? stream.fd : undefined;
}

function startFault(program: string, error: NodeJS.ErrnoException): string {
  if (!program.includes("/") && (error.code === "ENOENT" || error.code === "EACCES")) {
    return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  }
  const { code, message } = error;
  const words = systemErrorText(Object.assign(new Error(message), { code }));
  return `fork/exec ${program}: ${words ?? message}`;
}
