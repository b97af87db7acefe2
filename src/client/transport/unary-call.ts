/** One message there, one back, on one connection. */
import type { OutgoingHttpHeaders } from "node:http2";
import { GrpcStatus, RpcError } from "../status.ts";
import { Call } from "./call.ts";
import type { Connection } from "./connection.ts";
import type { Patience } from "./patience.ts";

export type UnaryEnd =
  | { readonly answer: Uint8Array }
  | { readonly failure: Error; readonly isRefused: boolean };

/**
 * @param request  framed
 * @throws (rejects) what ends the patience; Error of Node if there cannot be such a call on this connection
 */
export function unaryCall(
  connection: Connection,
  headers: OutgoingHttpHeaders,
  request: Uint8Array,
  maxReceiveBytes: number,
  patience: Patience,
): Promise<UnaryEnd> {
  return new Promise((resolve, reject) => {
    let answer: Uint8Array | undefined;
    const call = new Call(connection, headers, maxReceiveBytes, {
      onMessage: (message) => {
        answer ??= message;
      },
      onEnd: (failure, isRefused) => {
        patience.whenOver(undefined);
        if (failure !== undefined) resolve({ failure, isRefused });
        else if (answer !== undefined) resolve({ answer });
        else resolve({ failure: noAnswer(), isRefused: false });
      },
    });
    call.end(request);
    patience.whenOver((why) => {
      call.cancel();
      reject(why);
    });
  });
}

function noAnswer(): RpcError {
  const what = "cardinality violation: received no response message from non-server-streaming RPC";
  return new RpcError(GrpcStatus.internal, what);
}
