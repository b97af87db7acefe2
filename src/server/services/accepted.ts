/** What a request must pass before anything is done for it. */
import { EtcdError } from "../../base/errors.ts";
import type { Call } from "../../grpc/service.ts";
import { Code, malformedMessage } from "../../grpc/status.ts";

/**
 * @param decoded  what a decoder returned: the request, or what is wrong with its bytes
 * @returns the request; undefined if the call has been refused
 */
export function accepted<T extends object>(call: Call, decoded: T | string): T | undefined {
  const request = understood(call, decoded);
  if (request === undefined || !hasToken(call)) return request;
  call.failWith(new EtcdError("INVALID_AUTH_TOKEN"));
  return undefined;
}

/** As `accepted`, of a call that does not ask who is calling. */
export function understood<T extends object>(call: Call, decoded: T | string): T | undefined {
  if (typeof decoded !== "string") return decoded;
  failUndecodable(call, decoded);
  return undefined;
}

/** As grpc-go says it of a call with one request and one response. */
export function failUndecodable(call: Call, fault: string): void {
  call.fail(Code.internal, `grpc: error unmarshalling request: ${fault}`);
}

/** As grpc-go says it of a stream's message. */
export function failUndecodableMessage(call: Call, fault: string): void {
  call.fail(Code.internal, malformedMessage(fault));
}

/**
 * Whether the call came with a token, under either name that etcd takes. While auth is off it cannot be one that this
 * member gave, and etcd 3.4 says so on every call that asks who is calling; calls that do not ask do not notice.
 */
export function hasToken(call: Call): boolean {
  return call.metadata("token") !== undefined || call.metadata("authorization") !== undefined;
}
