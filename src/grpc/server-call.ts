/**
 * One call, from the server's side: what all kinds have in common. It is what the handler sees, what takes the
 * messages, and an entry among the deadlines, all in one object, since there is one for every request.
 */
import type {
  HeaderList,
  Peer,
  RequestHead,
  ServerStream,
  StreamListener,
} from "../http2/exchange.ts";
import type { CallCounts, MethodCounts } from "./call-counts.ts";
import type { CallPlan } from "./call-plan.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import { MessageReader, type MessageSink, PREFIX_BYTES } from "./message-reader.ts";
import { metadataValue } from "./metadata.ts";
import type { Call } from "./service.ts";
import { Code, GrpcError, type Status } from "./status.ts";
import { onlyTrailers, statusTrailers } from "./trailers.ts";

/** A call that is over, for whoever keeps an eye on calls. */
export interface EndedCall extends Call {
  readonly counts: MethodCounts;
  /** When its handler began, on the clock of `performance.now()`. */
  readonly startedMs: number;
  readonly code: number;
  /** Of messages, without framing. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The message of a unary call. */
  readonly request: Uint8Array | undefined;
}

/** What calls know of their server. */
export interface CallHost {
  readonly counts: CallCounts;
  readonly deadlines: Deadlines;
  readonly maxReceiveBytes: number;
  readonly maxSendBytes: number;
  readonly statusOf: (error: unknown) => Status;
  /** For every call whose handler began. */
  readonly onCallEnd: ((call: EndedCall) => void) | undefined;
  /** So many bytes more (less, if negative) wait in unfinished messages of this peer. @returns false: too many */
  holds(peer: Peer, bytes: number): boolean;
  /** A stream's handler has begun. */
  streamOpened(call: ServerCall): void;
  /** A call is over, of whatever kind. */
  callOver(call: ServerCall): void;
}

/** Written anew for every message: the connection copies what is small at once. */
const prefix = new Uint8Array(PREFIX_BYTES);

export abstract class ServerCall implements MessageSink, Timed, EndedCall {
  readonly path: string;
  readonly deadlineMs: number | undefined;
  readonly counts: MethodCounts;
  startedMs = 0;
  code = -1;
  requestBytes = 0;
  responseBytes = 0;
  earlier: Timed | undefined = undefined;
  later: Timed | undefined = undefined;
  slot = -1;
  protected readonly stream: ServerStream;
  protected readonly host: CallHost;
  protected headSent = false;
  readonly #plan: CallPlan;
  readonly #head: RequestHead;
  /** Whether the handler knows of the call; only then it counts. */
  #begun = false;
  /** Whether it ended before its handler had ended it. */
  #unanswered = false;
  #reader: MessageReader | undefined = undefined;
  #abort: AbortController | undefined = undefined;

  constructor(
    stream: ServerStream,
    head: RequestHead,
    plan: CallPlan,
    counts: MethodCounts,
    host: CallHost,
  ) {
    this.path = head.path;
    this.counts = counts;
    this.stream = stream;
    this.host = host;
    this.#plan = plan;
    this.#head = head;
    if (plan.timeoutMs === undefined) this.deadlineMs = undefined;
    else {
      this.deadlineMs = performance.now() + plan.timeoutMs;
      host.deadlines.add(this, this.deadlineMs);
    }
  }

  /** One message is whole. */
  protected abstract received(bytes: Uint8Array, start: number, end: number): void;
  /** The request is over, and was whole messages. */
  protected abstract receivedAll(): void;
  /** The call has ended, in whatever way. */
  protected abstract over(): void;
  /** There is room for responses again. */
  abstract roomAgain(): void;
  abstract get request(): Uint8Array | undefined;

  get peer(): Peer {
    return this.stream.peer;
  }

  get ended(): boolean {
    return this.code >= 0;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#unanswered) this.#abort.abort();
    return this.#abort.signal;
  }

  metadata(name: string): string | undefined {
    return metadataValue(this.#head.fields, name);
  }

  fail(code: number, message: string): void {
    if (this.code >= 0) return;
    const sent = code > 0 && code < 17 ? code : Code.unknown;
    this.#sendStatus(sent, message);
    this.finish(sent);
  }

  failWith(error: unknown): void {
    if (this.code >= 0) return;
    if (error instanceof GrpcError) this.fail(error.code, error.message);
    else {
      const { code, message } = this.host.statusOf(error);
      this.fail(code, message);
    }
  }

  /** Ends the call from outside of its handler, which is told by the signal. */
  breakOff(code: number, message: string): void {
    if (this.code >= 0) return;
    this.#sendStatus(code, message);
    this.#unanswered = true;
    this.finish(code);
  }

  /** Its deadline has passed. */
  expired(): void {
    this.breakOff(Code.deadlineExceeded, "context deadline exceeded");
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    if (this.code >= 0) return;
    this.#unanswered = true;
    this.finish(Code.canceled);
  }

  /** The next bytes of the request. */
  take(bytes: Uint8Array, start: number, end: number): void {
    if (this.code >= 0) return;
    const length = end - start - PREFIX_BYTES;
    if (
      (this.#reader === undefined || this.#reader.atBoundary) &&
      length >= 0 &&
      length <= this.host.maxReceiveBytes &&
      bytes[start] === 0 &&
      lengthAt(bytes, start + 1) === length
    ) {
      this.received(bytes, start + PREFIX_BYTES, end);
    } else {
      this.#reader ??= new MessageReader(this.host.maxReceiveBytes);
      this.#reader.push(bytes, start, end, this);
    }
  }

  /** The request is over. */
  takeEnd(): void {
    if (this.code >= 0) return;
    if (this.#reader?.atBoundary === false) this.fail(Code.internal, "unexpected EOF");
    else this.receivedAll();
  }

  message(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (flags === 0) this.received(bytes, start, end);
    else if (flags === 1) {
      this.fail(Code.internal, "grpc: compressed flag set with identity or empty encoding");
    } else this.fail(Code.internal, `grpc: received unexpected payload format ${flags}`);
    return this.code < 0;
  }

  tooLarge(lengthBytes: number): void {
    this.fail(
      Code.resourceExhausted,
      `grpc: received message larger than max (${lengthBytes} vs. ${this.host.maxReceiveBytes})`,
    );
  }

  holds(bytes: number): boolean {
    if (this.host.holds(this.peer, bytes)) return true;
    this.fail(Code.resourceExhausted, "grpc: too many unfinished messages on this connection");
    return false;
  }

  /** From here on the call counts. */
  protected begin(): void {
    this.#begun = true;
    this.counts.started++;
    this.#plan.countClient();
    if (this.host.onCallEnd !== undefined) this.startedMs = performance.now();
  }

  protected get contentType(): string {
    return this.#plan.contentType;
  }

  protected get responseHead(): HeaderList {
    return this.#plan.responseHead;
  }

  /** What `handle` returned: a promise that is rejected is a failure. */
  protected follow(handled: void | Promise<void>): void {
    if (handled !== undefined) handled.catch((error: unknown) => this.failWith(error));
  }

  /**
   * The pieces of a message with its prefix before them, to be sent at once.
   * @returns undefined: it is larger than is allowed, and the call has failed
   */
  protected framed(parts: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    const { maxSendBytes, counts } = this.host;
    if (bytes > maxSendBytes) {
      this.fail(
        Code.resourceExhausted,
        `trying to send message larger than max (${bytes} vs. ${maxSendBytes})`,
      );
      return undefined;
    }
    this.counts.messagesSent++;
    counts.sentBytes += bytes;
    this.responseBytes += bytes;
    prefix[1] = bytes >>> 24;
    prefix[2] = bytes >>> 16;
    prefix[3] = bytes >>> 8;
    prefix[4] = bytes;
    return parts.length === 1 ? [prefix, parts[0] as Uint8Array] : [prefix, ...parts];
  }

  protected countReceived(bytes: number): void {
    this.counts.messagesReceived++;
    this.host.counts.receivedBytes += bytes;
    this.requestBytes += bytes;
  }

  /** The end of the call, once what is to be sent was sent. */
  protected finish(code: number): void {
    // Sending may have ended it: a peer for which too much waits is cancelled.
    if (this.code >= 0) return;
    this.code = code;
    if (this.slot >= 0) this.host.deadlines.remove(this);
    this.#reader?.stop(this);
    this.host.callOver(this);
    if (this.#unanswered) this.#abort?.abort();
    if (this.#begun) {
      this.counts.handled[code] = (this.counts.handled[code] ?? 0) + 1;
      this.over();
      this.host.onCallEnd?.(this);
    }
  }

  #sendStatus(code: number, message: string): void {
    if (this.headSent) this.stream.sendTrailers(statusTrailers(code, message));
    else this.stream.sendHead(onlyTrailers(200, this.#plan.contentType, code, message), true);
  }
}

/** What the connection knows of a call. */
export class CallStream implements StreamListener {
  readonly #call: ServerCall;

  constructor(call: ServerCall) {
    this.#call = call;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    this.#call.take(bytes, start, end);
  }

  ended(): void {
    this.#call.takeEnd();
  }

  drained(): void {
    this.#call.roomAgain();
  }

  cancelled(): void {
    this.#call.cancel();
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x100_0000 +
    (((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number))
  );
}
