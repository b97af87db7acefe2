import { type ErrorCode, StrataError } from "../base/errors.ts";

/**
 * Why a log cannot be read:
 *
 * | reason               | etcd's words                                                                   |
 * | -------------------- | ------------------------------------------------------------------------------ |
 * | file-not-found       | wal: file not found                                                            |
 * | sequence-gap         | wal: file sequence numbers … do not increase continuously                      |
 * | crc-mismatch         | wal: crc mismatch                                                              |
 * | torn                 | unexpected EOF: the last segment ends within a record; `repairWal` cuts it off |
 * | conflicting-metadata | wal: conflicting metadata found                                                |
 * | index-gap            | wal: slice bounds out of range                                                 |
 * | snapshot-mismatch    | wal: snapshot mismatch                                                         |
 * | snapshot-not-found   | wal: snapshot not found                                                        |
 * | bad-record           | anything else that is not a record of a log                                    |
 */
export type WalFault =
  | "file-not-found"
  | "sequence-gap"
  | "crc-mismatch"
  | "torn"
  | "conflicting-metadata"
  | "index-gap"
  | "snapshot-mismatch"
  | "snapshot-not-found"
  | "bad-record";

/** Code CORRUPT, or NOT_FOUND for a file or snapshot that is not there. */
export class WalError extends StrataError {
  override readonly name: string = "WalError";
  readonly fault: WalFault;
  /** The segment, and the offset of the frame in it; of the directory, 0. */
  readonly path: string;
  readonly offsetBytes: number;

  constructor(fault: WalFault, path: string, offsetBytes: number, what: string) {
    const code: ErrorCode =
      fault === "file-not-found" || fault === "snapshot-not-found" ? "NOT_FOUND" : "CORRUPT";
    super(code, `${path}: offset ${offsetBytes}: ${what}`);
    this.fault = fault;
    this.path = path;
    this.offsetBytes = offsetBytes;
  }
}
