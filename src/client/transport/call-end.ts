/**
 * How a call ended, read from what HTTP/2 has to say about it: trailers, the HTTP status, the code of a reset.
 *
 * @see grpc doc/PROTOCOL-HTTP2.md, "Responses" and "Errors"; grpc doc/http-grpc-status-mapping.md
 */
import { STATUS_CODES } from "node:http";
import type { IncomingHttpHeaders } from "node:http2";
import type { EtcdError } from "../../base/errors.ts";
import { errorOfStatus, GrpcStatus, RpcError } from "../status.ts";

/** Undefined: well. */
export type CallFailure = EtcdError | RpcError | undefined;

/** @param trailers  with `grpc-status` in them, or the end of a response that should have had it */
export function failureOfTrailers(trailers: IncomingHttpHeaders): CallFailure {
  const text = trailers["grpc-status"];
  if (text === undefined) {
    const what = "server closed the stream without sending trailers";
    return new RpcError(GrpcStatus.internal, what);
  }
  const status = /^\d{1,9}$/.test(String(text)) ? Number(text) : undefined;
  if (status === undefined) {
    return new RpcError(GrpcStatus.internal, `transport: malformed grpc-status: ${String(text)}`);
  }
  if (status === GrpcStatus.ok) return undefined;
  return errorOfStatus(status, percentDecoded(String(trailers["grpc-message"] ?? "")));
}

/** What `%XX` stands for, as UTF-8; whatever is not that stays as it is. @param text  one character a byte */
export function percentDecoded(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const { internal, unauthenticated, permissionDenied, unimplemented, unavailable } = GrpcStatus;

const OF_HTTP: Readonly<Record<number, number>> = {
  400: internal,
  401: unauthenticated,
  403: permissionDenied,
  404: unimplemented,
  429: unavailable,
  502: unavailable,
  503: unavailable,
  504: unavailable,
};

/** What a response that is not gRPC's means. Undefined: it is gRPC's. */
export function failureOfHead(head: IncomingHttpHeaders): CallFailure {
  const httpStatus = Number(head[":status"] ?? 0);
  const type = head["content-type"];
  const isGrpc = type !== undefined && /^application\/grpc($|[+;])/.test(type);
  // A server may say what it means though HTTP would say less.
  if (isGrpc && (httpStatus === 200 || head["grpc-status"] !== undefined)) return undefined;
  const parts: string[] = [];
  if (httpStatus !== 200) {
    const name = STATUS_CODES[httpStatus] ?? "";
    parts.push(`unexpected HTTP status code received from server: ${httpStatus} (${name})`);
  }
  if (!isGrpc) {
    parts.push(
      type === undefined
        ? "malformed header: missing HTTP content-type"
        : `transport: received unexpected content-type ${JSON.stringify(type)}`,
    );
  }
  return new RpcError(OF_HTTP[httpStatus] ?? GrpcStatus.unknown, parts.join("; "));
}

/** HTTP/2 error codes by number: their names, and the statuses that they mean if not Internal. */
const RESETS: readonly (readonly [name: string, status: number])[] = [
  ["NO_ERROR", internal],
  ["PROTOCOL_ERROR", internal],
  ["INTERNAL_ERROR", internal],
  ["FLOW_CONTROL_ERROR", internal],
  ["SETTINGS_TIMEOUT", internal],
  ["STREAM_CLOSED", internal],
  ["FRAME_SIZE_ERROR", internal],
  ["REFUSED_STREAM", unavailable],
  ["CANCEL", GrpcStatus.canceled],
  ["COMPRESSION_ERROR", internal],
  ["CONNECT_ERROR", internal],
  ["ENHANCE_YOUR_CALM", GrpcStatus.resourceExhausted],
  ["INADEQUATE_SECURITY", permissionDenied],
  ["HTTP_1_1_REQUIRED", internal],
];

export function failureOfReset(code: number, cause: unknown): RpcError {
  const [name, status] = RESETS[code] ?? [`unknown error code ${code}`, GrpcStatus.unknown];
  const what = `stream terminated by RST_STREAM with error code: ${name}`;
  return new RpcError(status, what, { cause });
}
