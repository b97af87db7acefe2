import { ETCD_ERRORS, type EtcdErrorCode } from "./etcd-errors.ts";

/**
 * Operating errors: expected, documented, handled. Callers branch on `code`, never on the text.
 *
 * | code         | meaning                                                                             |
 * | ------------ | ----------------------------------------------------------------------------------- |
 * | CORRUPT      | bytes on disk are not what the format allows; `CorruptionError` names the place      |
 * | BAD_ARGUMENT | the caller's argument is out of range; nothing was done                              |
 * | NOT_FOUND    | the named bucket or file member does not exist                                       |
 * | EXISTS       | a bucket of that name exists already                                                 |
 * | INCOMPATIBLE | a bucket where a value was expected, or the other way round                          |
 * | CLOSED       | the transaction or file was used after its end                                       |
 * | READ_ONLY    | a write on a file or transaction that was opened for reading                         |
 * | FAILED       | an earlier write or sync failed: the file must be reopened before it writes again    |
 * | NO_LOCK      | there is no lock to be had on this file system or machine                           |
 * | LOCKED       | another process holds the file; the message names it where it can be told            |
 * | CHANGED      | a file that another process writes moved on while it was read without the lock       |
 * | NO_DISK      | there is not enough free disk for the job; nothing was written                       |
 * | NO_GAIN      | the job would change nothing worth having                                            |
 * | IO           | the operating system refused a read, write, sync or rename; `cause` has the details  |
 * | RPC          | a call of a server ended with a status that no text of etcd's stands for: `RpcError`  |
 * | DEADLINE     | a call of a server, or a snapshot that is taken, took longer than it was given       |
 * | CANCELED     | a call of a server was given up by its client, or a job was cancelled                |
 * | others       | what etcd answers a client, in its own words: `EtcdError`, listed in etcd-errors.ts  |
 */
export type ErrorCode =
  | "CORRUPT"
  | "BAD_ARGUMENT"
  | "NOT_FOUND"
  | "EXISTS"
  | "INCOMPATIBLE"
  | "CLOSED"
  | "READ_ONLY"
  | "FAILED"
  | "LOCKED"
  | "NO_LOCK"
  | "CHANGED"
  | "NO_DISK"
  | "NO_GAIN"
  | "IO"
  | "RPC"
  | "DEADLINE"
  | "CANCELED"
  | EtcdErrorCode;

export class StrataError extends Error {
  override readonly name: string = "StrataError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What it came from in the end, for a message: `EIO: i/o error, fdatasync`, whatever was made of that on the way. */
export function reasonOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return root instanceof Error ? root.message : String(root);
}

/** Bytes that the format does not allow, with the file and the place in it. */
export class CorruptionError extends StrataError {
  override readonly name: string = "CorruptionError";
  readonly path: string;
  readonly offsetBytes: number;
  readonly what: string;

  constructor(path: string, offsetBytes: number, what: string) {
    super("CORRUPT", `${path}: offset ${offsetBytes}: ${what}`);
    this.path = path;
    this.offsetBytes = offsetBytes;
    this.what = what;
  }
}

/** What etcd answers a client: its text to the letter, and the status it goes out with. */
export class EtcdError extends StrataError {
  override readonly name: string = "EtcdError";
  declare readonly code: EtcdErrorCode;
  readonly grpcStatus: number;

  constructor(code: EtcdErrorCode, options?: ErrorOptions) {
    const [status, text] = ETCD_ERRORS[code];
    super(code, text, options);
    this.grpcStatus = status;
  }
}
