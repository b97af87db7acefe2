/**
 * What a client is told of an error: etcd's own errors in etcd's words, what this store adds in the words that etcd's
 * clients already understand, and everything else as `Unknown` with its text, as an unmapped Go error is.
 */
import { EtcdError, reasonOf, StrataError } from "../base/errors.ts";
import { ETCD_ERRORS } from "../base/etcd-errors.ts";
import { Code, GrpcError, type Status } from "../grpc/status.ts";

/** Told of errors that no client has caused. */
export type OnUnexpected = (error: unknown) => void;

/**
 * Two of etcd's errors never reach the table that gives them a status on their way out of a real server, and arrive
 * as `Unknown`. So they do here: who retries on their code must find here what it finds there.
 */
const UNTRANSLATED: ReadonlySet<string> = new Set([
  "MEMBER_NOT_ENOUGH_STARTED",
  "TOO_MANY_REQUESTS",
]);

const STOPPED: Status = { code: ETCD_ERRORS.STOPPED[0], message: ETCD_ERRORS.STOPPED[1] };
const CANCELED: Status = { code: Code.canceled, message: "context canceled" };

/**
 * | error                          | status                                                                     |
 * | ------------------------------ | -------------------------------------------------------------------------- |
 * | EtcdError                      | its own, but for the two above                                             |
 * | GrpcError                      | its own                                                                    |
 * | StrataError CLOSED             | 14 `etcdserver: server stopped`                                            |
 * | StrataError FAILED             | 14 with its text: another member would be asked, and after a restart it works |
 * | StrataError BAD_ARGUMENT       | 3 with its text                                                            |
 * | StrataError DEADLINE           | 4 with its text                                                            |
 * | StrataError CANCELED           | 1 with its text: somebody has cancelled the job that the call waited for   |
 * | StrataError NO_DISK            | 8 with its text                                                            |
 * | ENOSPC, EDQUOT of the system   | 8 with its text                                                            |
 * | an abort                       | 1 `context canceled`                                                       |
 * | anything else                  | 2 with its text, and `unexpected` is told                                  |
 */
export function statusOf(error: unknown, unexpected: OnUnexpected = () => undefined): Status {
  if (error instanceof EtcdError) {
    const code = UNTRANSLATED.has(error.code) ? Code.unknown : error.grpcStatus;
    return { code, message: error.message };
  }
  if (error instanceof GrpcError) return { code: error.code, message: error.message };
  if (error instanceof StrataError) {
    if (error.code === "CLOSED") return STOPPED;
    if (error.code === "FAILED") {
      return { code: Code.unavailable, message: `etcdserver: ${error.message}` };
    }
    if (error.code === "BAD_ARGUMENT") {
      return { code: Code.invalidArgument, message: error.message };
    }
    if (error.code === "DEADLINE") {
      return { code: Code.deadlineExceeded, message: `etcdserver: ${error.message}` };
    }
    if (error.code === "CANCELED") return { code: Code.canceled, message: error.message };
    if (error.code === "NO_DISK") return { code: Code.resourceExhausted, message: error.message };
  }
  if (isDiskFull(error)) return { code: Code.resourceExhausted, message: error.message };
  if (error instanceof Error && error.name === "AbortError") return CANCELED;
  unexpected(error);
  return { code: Code.unknown, message: error instanceof Error ? error.message : reasonOf(error) };
}

function isDiskFull(error: unknown): error is Error {
  if (!(error instanceof Error && "code" in error)) return false;
  return error.code === "ENOSPC" || error.code === "EDQUOT";
}
