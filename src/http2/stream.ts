/** One request and its response: what is known of it. The connection acts on it. */
import type { ErrorCode } from "./error-code.ts";
import type { HeaderList, Peer, ServerStream, StreamListener } from "./exchange.ts";

/** The connection, as its streams know it. */
export interface StreamHost {
  readonly peer: Peer;
  respond(
    stream: Stream,
    head: HeaderList,
    parts: readonly Uint8Array[],
    trailers: HeaderList,
  ): void;
  sendHead(stream: Stream, head: HeaderList, end: boolean): void;
  sendData(stream: Stream, parts: readonly Uint8Array[]): boolean;
  whenWritten(stream: Stream, written: () => void): void;
  sendTrailers(stream: Stream, trailers: HeaderList): void;
  resetByListener(stream: Stream, code: ErrorCode): void;
  /** The stream is paused no more. */
  grant(stream: Stream): void;
}

export class Stream implements ServerStream {
  readonly id: number;
  readonly #host: StreamHost;
  listener: StreamListener | undefined = undefined;
  closed = false;
  /** What the peer may still send; what it sent since it was last granted more. */
  receiveWindow: number;
  received = 0;
  paused = false;
  /** Of the body, since anything was said on this stream. */
  unansweredBytes = 0;
  remoteEnded = false;
  /** Of the body, by its content-length; -1: it was not said. */
  contentLeft: number;
  /** What the peer takes now. */
  sendWindow: number;
  /** Waits: `queue` from `queueOffset` of its first part on, then, if there are any, the trailers. */
  queue: Uint8Array[] = NO_PARTS;
  queueOffset = 0;
  bufferedBytes = 0;
  trailers: HeaderList | undefined = undefined;
  /** In the round of those that could send. */
  inRound = false;
  wantsDrained = false;
  /** Of `whenWritten`. */
  written: (() => void) | undefined = undefined;
  headSent = false;
  /** END_STREAM is on its way. */
  endSent = false;

  constructor(
    host: StreamHost,
    id: number,
    receiveWindow: number,
    sendWindow: number,
    contentLength: number,
  ) {
    this.#host = host;
    this.id = id;
    this.receiveWindow = receiveWindow;
    this.sendWindow = sendWindow;
    this.contentLeft = contentLength;
  }

  get peer(): Peer {
    return this.#host.peer;
  }

  respond(head: HeaderList, parts: readonly Uint8Array[], trailers: HeaderList): void {
    if (!this.closed) this.#host.respond(this, head, parts, trailers);
  }

  sendHead(head: HeaderList, end = false): void {
    if (!this.closed) this.#host.sendHead(this, head, end);
  }

  sendData(parts: readonly Uint8Array[]): boolean {
    return this.closed || this.#host.sendData(this, parts);
  }

  whenWritten(written: () => void): void {
    if (!this.closed) this.#host.whenWritten(this, written);
  }

  sendTrailers(trailers: HeaderList): void {
    if (!this.closed) this.#host.sendTrailers(this, trailers);
  }

  reset(code: ErrorCode): void {
    if (!this.closed) this.#host.resetByListener(this, code);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    if (!this.closed) this.#host.grant(this);
  }
}

/** Most streams never queue anything: they share this. */
export const NO_PARTS: Uint8Array[] = [];
