/** How a call ends that does not end well. @see grpc/grpc doc/statuscodes.md, etcd client/v3 client.go toErr */
import { EtcdError, reasonOf, StrataError } from "../base/errors.ts";
import { ETCD_ERRORS, type EtcdErrorCode } from "../base/etcd-errors.ts";

/** By number, in Go's spelling. */
const STATUS_NAMES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;

export type StatusName = (typeof STATUS_NAMES)[number];

export const GrpcStatus = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A status whose text is none of etcd's. Its message is as Go prints it. */
export class RpcError extends StrataError {
  override readonly name: string = "RpcError";
  readonly grpcStatus: number;
  /** What the server, or the connection, said. */
  readonly details: string;

  constructor(grpcStatus: number, details: string, options?: ErrorOptions) {
    super("RPC", `rpc error: code = ${statusName(grpcStatus)} desc = ${details}`, options);
    this.grpcStatus = grpcStatus;
    this.details = details;
  }
}

function statusName(status: number): string {
  return STATUS_NAMES[status] ?? `Code(${status})`;
}

/** Longer than it was given. Go's words, which etcdctl prints. */
export function deadlineExceeded(options?: ErrorOptions): StrataError {
  return new StrataError("DEADLINE", "context deadline exceeded", options);
}

/** Nobody was reached for as long as a call waits for that. @param why  the last attempt came to nothing */
export function noConnection(why: unknown): RpcError {
  const details = `no connection: ${why === undefined ? "nobody has answered" : reasonOf(why)}`;
  return new RpcError(GrpcStatus.unavailable, details, { cause: why });
}

/** The connection that a call was on is gone. */
export function connectionClosing(options?: ErrorOptions): RpcError {
  return new RpcError(GrpcStatus.unavailable, "transport is closing", options);
}

/** The client was closed with the call under way, or before it. */
export function clientClosing(): RpcError {
  return new RpcError(GrpcStatus.canceled, "grpc: the client connection is closing");
}

/** A request that the client itself does not let out. */
export function tooLargeToSend(bytes: number, maxBytes: number): RpcError {
  const what = `trying to send message larger than max (${bytes} vs. ${maxBytes})`;
  return new RpcError(GrpcStatus.resourceExhausted, what);
}

let codesByText: ReadonlyMap<string, EtcdErrorCode> | undefined;

/** An `EtcdError` if the text is etcd's, whatever the status; else an `RpcError`. */
export function errorOfStatus(status: number, details: string): EtcdError | RpcError {
  codesByText ??= new Map(
    Object.entries(ETCD_ERRORS).map(([code, [, text]]) => [text, code as EtcdErrorCode]),
  );
  const code = codesByText.get(details);
  return code === undefined ? new RpcError(status, details) : new EtcdError(code);
}
