/** What a call begins with. @see grpc doc/PROTOCOL-HTTP2.md, "Requests" */
import type { OutgoingHttpHeaders } from "node:http2";
import { GrpcStatus, RpcError } from "../status.ts";
import type { Connection } from "./connection.ts";
import { grpcTimeout } from "./grpc-timeout.ts";
import type { Patience } from "./patience.ts";
import type { CallSettings } from "./transport.ts";

/** @throws RpcError Internal for metadata that may not be sent: Node would break the connection off */
export function requestHeaders(
  { endpoint }: Connection,
  path: string,
  { timeoutMs, metadata }: CallSettings,
  patience: Patience,
  token: string | undefined,
): OutgoingHttpHeaders {
  if (metadata !== undefined) check(metadata);
  if (token !== undefined) check({ token });
  return {
    ":method": "POST",
    ":scheme": endpoint.secure ? "https" : "http",
    ":path": path,
    ":authority": endpoint.authority,
    te: "trailers",
    "content-type": "application/grpc",
    "user-agent": "strata",
    ...(timeoutMs !== undefined && { "grpc-timeout": grpcTimeout(patience.leftMs) }),
    ...(token !== undefined && { token }),
    ...metadata,
  };
}

function check(metadata: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(metadata)) {
    const shown = JSON.stringify(name);
    if (!/^[0-9a-z_.-]+$/.test(name)) {
      const what = `header key ${shown} contains illegal characters not in [0-9a-z-_.]`;
      throw new RpcError(GrpcStatus.internal, what);
    }
    if (!/^[ -~]*$/.test(value)) {
      const what = `header key ${shown} contains value with non-printable ASCII characters`;
      throw new RpcError(GrpcStatus.internal, what);
    }
  }
}
