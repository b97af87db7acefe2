/** One request, one response. The handler begins once the request is whole, as grpc-go's does. */
import type { RequestHead, ServerStream } from "../http2/exchange.ts";
import { EMPTY_BYTES } from "../proto/protobuf.ts";
import type { MethodCounts } from "./call-counts.ts";
import type { CallPlan } from "./call-plan.ts";
import { type CallHost, ServerCall } from "./server-call.ts";
import type { Method, UnaryCall } from "./service.ts";
import { Code } from "./status.ts";
import { OK_TRAILERS } from "./trailers.ts";

export const NO_REQUEST =
  "cardinality violation: received no request message from non-client-streaming RPC";
export const MORE_REQUESTS =
  "cardinality violation: received multiple request messages for non-client-streaming RPC";

export class UnaryServerCall extends ServerCall implements UnaryCall {
  readonly #method: Extract<Method, { kind: "unary" }>;
  #bytes: Uint8Array = EMPTY_BYTES;
  #start = -1;
  #end = 0;

  constructor(
    stream: ServerStream,
    head: RequestHead,
    plan: CallPlan,
    counts: MethodCounts,
    host: CallHost,
    method: Extract<Method, { kind: "unary" }>,
  ) {
    super(stream, head, plan, counts, host);
    this.#method = method;
  }

  get request(): Uint8Array | undefined {
    return this.#start < 0 ? undefined : this.#bytes.subarray(this.#start, this.#end);
  }

  reply(...parts: readonly Uint8Array[]): void {
    if (this.code >= 0) return;
    const framed = this.framed(parts);
    if (framed === undefined) return;
    this.stream.respond(this.responseHead, framed, OK_TRAILERS);
    this.finish(Code.ok);
  }

  protected received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#start >= 0) {
      this.fail(Code.internal, MORE_REQUESTS);
      return;
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  protected receivedAll(): void {
    if (this.#start < 0) {
      this.fail(Code.internal, NO_REQUEST);
      return;
    }
    this.begin();
    this.countReceived(this.#end - this.#start);
    try {
      this.follow(this.#method.handle(this, this.#bytes, this.#start, this.#end));
    } catch (error) {
      this.failWith(error);
    }
  }

  protected over(): void {}

  roomAgain(): void {}
}
