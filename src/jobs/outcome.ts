/**
 * What crosses from a worker thread: plain data. A thrown error keeps its message on the way but loses its class and
 * its `code`, so errors travel as data and are made anew on this side.
 */
import {
  CorruptionError,
  type ErrorCode,
  EtcdError,
  reasonOf,
  StrataError,
} from "../base/errors.ts";
import { isEtcdErrorCode } from "../base/etcd-errors.ts";

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorData };

export type ErrorData =
  | {
      readonly kind: "corrupt";
      readonly path: string;
      readonly offsetBytes: number;
      readonly what: string;
    }
  | {
      readonly kind: "strata";
      readonly code: ErrorCode;
      readonly message: string;
      /** What it came from in the end. */
      readonly reason: string | undefined;
    }
  /** The operating system's: `syscall path: code`. */
  | {
      readonly kind: "system";
      readonly code: string;
      readonly message: string;
      readonly syscall: string | undefined;
      readonly path: string | undefined;
    }
  | { readonly kind: "aborted" }
  /** A bug. The stack is kept for whoever has to mend it. */
  | { readonly kind: "bug"; readonly message: string; readonly stack: string | undefined };

/** Thrown by a job that was told to stop. */
export class JobAborted extends Error {
  override readonly name: string = "AbortError";
  readonly code = "ABORT_ERR";

  constructor() {
    super("the job was stopped");
  }
}

/** An error of the operating system that was made anew on this side. */
export class SystemError extends Error {
  override readonly name: string = "SystemError";
  readonly code: string;
  readonly syscall: string | undefined;
  readonly path: string | undefined;

  constructor(
    code: string,
    message: string,
    syscall: string | undefined,
    path: string | undefined,
  ) {
    super(message);
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }
}

/** Runs a job and catches what it throws. */
export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: dataOf(error) };
  }
}

/** The value, or the error thrown. */
export function takeValue<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw errorOf(outcome.error);
}

function dataOf(error: unknown): ErrorData {
  if (error instanceof CorruptionError) {
    const { path, offsetBytes, what } = error;
    return { kind: "corrupt", path, offsetBytes, what };
  }
  if (error instanceof StrataError) {
    const reason = error.cause === undefined ? undefined : reasonOf(error.cause);
    return { kind: "strata", code: error.code, message: error.message, reason };
  }
  if (error instanceof JobAborted) return { kind: "aborted" };
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const { code, message } = error;
    const syscall = "syscall" in error ? String(error.syscall) : undefined;
    const path = "path" in error ? String(error.path) : undefined;
    return { kind: "system", code, message, syscall, path };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "bug", message, stack: error instanceof Error ? error.stack : undefined };
}

function errorOf(data: ErrorData): Error {
  switch (data.kind) {
    case "corrupt":
      return new CorruptionError(data.path, data.offsetBytes, data.what);
    case "strata":
      return isEtcdErrorCode(data.code)
        ? new EtcdError(data.code)
        : new StrataError(
            data.code,
            data.message,
            data.reason === undefined ? {} : { cause: new Error(data.reason) },
          );
    case "system":
      return new SystemError(data.code, data.message, data.syscall, data.path);
    case "aborted":
      return new JobAborted();
    case "bug": {
      const error = new Error(data.message);
      if (data.stack !== undefined) error.stack = data.stack;
      return error;
    }
  }
}
