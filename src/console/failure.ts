/** How a command fails, and the one place where any error becomes lines on stderr and an exit code. */
import { getSystemErrorMap } from "node:util";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { JobAborted } from "../jobs/outcome.ts";
import { EXIT_ERROR, EXIT_OF_SIGNAL, type StopSignal } from "./exit-codes.ts";

/** An end that is no success, with etcd's text and code for it. `message` comes after `Error: `. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** A failure whose message is all of the line, without `Error: ` before it. */
export class BareFailure extends Failure {
  override readonly name: string = "BareFailure";
}

/** A command line that cannot be read: the command's usage is printed as well. */
export class UsageError extends Failure {
  override readonly name: string = "UsageError";

  constructor(message: string) {
    super(EXIT_ERROR, message);
  }
}

/** The work was asked to stop, and did. */
export class Interrupted extends Error {
  override readonly name: string = "Interrupted";
  readonly signal: StopSignal;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

export interface Ending {
  /** One line, unless there are several faults to tell. */
  readonly text: string;
  readonly exitCode: number;
}

/** What is said of an error. @param debug  with the stack of what can only be a bug (STRATA_DEBUG=1) */
export function endingOf(error: unknown, debug: boolean): Ending {
  if (error instanceof Interrupted) {
    return { text: `Error: ${error.message}`, exitCode: EXIT_OF_SIGNAL[error.signal] };
  }
  if (error instanceof Failure) {
    const before = error instanceof BareFailure ? "" : "Error: ";
    return { text: `${before}${error.message}`, exitCode: error.exitCode };
  }
  const known = explain(error);
  if (known !== undefined) return { text: `Error: ${known}`, exitCode: EXIT_ERROR };
  if (debug && error instanceof Error && error.stack !== undefined) {
    return { text: `Error: a bug in strata: ${error.stack}`, exitCode: EXIT_ERROR };
  }
  const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  const hint = "a bug in strata; set STRATA_DEBUG=1 to see where";
  return { text: `Error: ${first} (${hint})`, exitCode: EXIT_ERROR };
}

/** An operating error in one line, or in one per fault; undefined if it is not one. */
export function explain(error: unknown): string | undefined {
  if (error instanceof CorruptionError) {
    return `${error.path}: offset ${error.offsetBytes}: ${cappedLines(error.what)}`;
  }
  if (error instanceof StrataError) return cappedLines(error.message);
  if (error instanceof JobAborted) return error.message;
  return systemErrorText(error);
}

/** A ruined file can have thousands of faults; nobody reads more than these. */
const LINES_MAX = 101;

/** The first lines of a text, and how many more there are. */
export function cappedLines(text: string): string {
  const lines = text.split("\n");
  if (lines.length <= LINES_MAX) return text;
  const more = lines.length - LINES_MAX;
  return [...lines.slice(0, LINES_MAX), `... and ${more} more`].join("\n");
}

/** Go's words where libuv has others; the rest are the same. */
const GO_WORDS: ReadonlyMap<string, string> = new Map([
  ["EISDIR", "is a directory"],
  ["EIO", "input/output error"],
  ["EBUSY", "device or resource busy"],
  ["ENAMETOOLONG", "file name too long"],
  ["ELOOP", "too many levels of symbolic links"],
  ["ETXTBSY", "text file busy"],
  ["EXDEV", "invalid cross-device link"],
  ["EDQUOT", "disk quota exceeded"],
]);

let libuvWords: ReadonlyMap<string, string> | undefined;

/** `open nofile.db: no such file or directory`, as Go's *PathError; undefined if `error` is not the system's. */
export function systemErrorText(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) {
    return undefined;
  }
  libuvWords ??= new Map(getSystemErrorMap().values());
  const words = GO_WORDS.get(error.code) ?? libuvWords.get(error.code);
  // A file that was cut while it was read has a code that only strata knows, and a message that says where.
  if (words === undefined) return error.code === "ESHORTREAD" ? error.message : undefined;
  const syscall = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "";
  const path = "path" in error && typeof error.path === "string" ? error.path : "";
  const place = `${syscall} ${path}`.trim();
  return place === "" ? words : `${place}: ${words}`;
}
