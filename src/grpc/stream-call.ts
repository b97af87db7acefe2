/** Calls with a stream of responses: of one request, or of a stream of them. */
import type { RequestHead, ServerStream } from "../http2/exchange.ts";
import { EMPTY_BYTES } from "../proto/protobuf.ts";
import type { MethodCounts } from "./call-counts.ts";
import type { CallPlan } from "./call-plan.ts";
import { type CallHost, ServerCall } from "./server-call.ts";
import type { MessageListener, Method, StreamCall } from "./service.ts";
import { Code } from "./status.ts";
import { OK_TRAILERS, onlyTrailers } from "./trailers.ts";
import { MORE_REQUESTS, NO_REQUEST } from "./unary-call.ts";

abstract class StreamServerCall extends ServerCall implements StreamCall {
  /** Who waits for room. */
  #waiting: (() => void)[] = [];
  #written: (() => void) | undefined = undefined;
  #full = false;

  get request(): undefined {
    return undefined;
  }

  get bufferedBytes(): number {
    return this.stream.bufferedBytes;
  }

  send(...parts: readonly Uint8Array[]): boolean {
    if (this.code >= 0) return false;
    const framed = this.framed(parts);
    if (framed === undefined) return false;
    if (!this.headSent) {
      this.headSent = true;
      this.stream.sendHead(this.responseHead);
    }
    this.#full = !this.stream.sendData(framed);
    return !this.#full;
  }

  drained(): Promise<void> {
    if (!this.#full || this.code >= 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  written(): Promise<void> {
    if (this.code >= 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#written = resolve;
      this.stream.whenWritten(resolve);
    });
  }

  end(): void {
    if (this.code >= 0) return;
    if (this.headSent) this.stream.sendTrailers(OK_TRAILERS);
    else this.stream.sendHead(onlyTrailers(200, this.contentType, Code.ok, ""), true);
    this.finish(Code.ok);
  }

  pause(): void {
    if (this.code < 0) this.stream.pause();
  }

  resume(): void {
    if (this.code < 0) this.stream.resume();
  }

  roomAgain(): void {
    this.#full = false;
    this.#wake();
  }

  protected over(): void {
    this.#written?.();
    this.#wake();
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export class ServerStreamCall extends StreamServerCall {
  readonly #method: Extract<Method, { kind: "serverStream" }>;
  #bytes: Uint8Array = EMPTY_BYTES;
  #start = -1;
  #end = 0;

  constructor(
    stream: ServerStream,
    head: RequestHead,
    plan: CallPlan,
    counts: MethodCounts,
    host: CallHost,
    method: Extract<Method, { kind: "serverStream" }>,
  ) {
    super(stream, head, plan, counts, host);
    this.#method = method;
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
    this.host.streamOpened(this);
    this.countReceived(this.#end - this.#start);
    const bytes = this.#bytes;
    // The call may live long, and what it was asked for may lie in a big buffer.
    this.#bytes = EMPTY_BYTES;
    try {
      this.follow(this.#method.handle(this, bytes, this.#start, this.#end));
    } catch (error) {
      this.failWith(error);
    }
  }
}

export class BidiStreamCall extends StreamServerCall {
  #listener: MessageListener | undefined = undefined;

  /** Begins the handler, which may end the call there and then. */
  open(method: Extract<Method, { kind: "bidiStream" }>): void {
    this.begin();
    this.host.streamOpened(this);
    try {
      this.#listener = method.open(this);
    } catch (error) {
      this.failWith(error);
    }
    if (this.code >= 0) this.#listener?.closed();
  }

  protected received(bytes: Uint8Array, start: number, end: number): void {
    this.countReceived(end - start);
    try {
      this.#listener?.message(bytes, start, end);
    } catch (error) {
      this.failWith(error);
    }
  }

  protected receivedAll(): void {
    try {
      this.#listener?.halfClosed();
    } catch (error) {
      this.failWith(error);
    }
  }

  override roomAgain(): void {
    super.roomAgain();
    if (this.code >= 0) return;
    try {
      this.#listener?.drained();
    } catch (error) {
      this.failWith(error);
    }
  }

  protected override over(): void {
    super.over();
    this.#listener?.closed();
  }
}
