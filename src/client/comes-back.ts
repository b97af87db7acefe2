/** Which ends of a stream are its connection's or its server's, and not the call's own. */
import { StrataError } from "../base/errors.ts";
import { GrpcStatus } from "./status.ts";

/**
 * Whether the same call may go well on another connection, or once the server is back. What the server thinks of the
 * call itself (no such method, no permission) it will think again.
 * @see etcd client/v3 client.go isHaltErr
 */
export function mayComeBack(error: unknown): boolean {
  if (!(error instanceof StrataError && "grpcStatus" in error)) return false;
  return error.grpcStatus === GrpcStatus.unavailable || error.grpcStatus === GrpcStatus.internal;
}
