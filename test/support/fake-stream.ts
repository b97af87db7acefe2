/** A stream without a connection, for tests: it remembers what it is told. */
import { latin1 } from "../../src/base/bytes.ts";
import type { ErrorCode } from "../../src/http2/error-code.ts";
import type {
  HeaderList,
  RequestHead,
  RequestListener,
  ServerStream,
  StreamListener,
} from "../../src/http2/exchange.ts";

/** A message with its prefix. */
export function frame(message: Uint8Array | string, flags = 0): Uint8Array {
  const bytes = Buffer.from(message);
  const prefix = Buffer.from([flags, 0, 0, 0, 0]);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

export class FakeStream implements ServerStream {
  readonly id = 1;
  readonly peer = { remoteAddress: "127.0.0.1:1", certificateCommonName: undefined };
  closed = false;
  bufferedBytes = 0;
  head: HeaderList | undefined;
  /** Of the response, one character a byte. */
  body = "";
  trailers: HeaderList | undefined;
  resetWith: ErrorCode | undefined;
  paused = false;
  /** What `sendData` says. */
  room = true;

  respond(head: HeaderList, parts: readonly Uint8Array[], trailers: HeaderList): void {
    this.sendHead(head);
    this.sendData(parts);
    this.sendTrailers(trailers);
  }

  sendHead(head: HeaderList, end = false): void {
    if (this.closed) return;
    this.head = head;
    if (end) this.closed = true;
  }

  sendData(parts: readonly Uint8Array[]): boolean {
    if (this.closed) return false;
    for (const part of parts) this.body += latin1(part);
    return this.room;
  }

  whenWritten(written: () => void): void {
    if (!this.closed) queueMicrotask(written);
  }

  sendTrailers(trailers: HeaderList): void {
    if (this.closed) return;
    this.trailers = trailers;
    this.closed = true;
  }

  reset(code: ErrorCode): void {
    if (this.closed) return;
    this.resetWith = code;
    this.closed = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** The first of the response's fields with this name, wherever it is. */
  field(name: string): string | undefined {
    return [...(this.head ?? []), ...(this.trailers ?? [])].find(([is]) => is === name)?.[1];
  }

  get status(): number {
    return Number(this.field("grpc-status") ?? -1);
  }

  get message(): string {
    return decodeURIComponent(this.field("grpc-message") ?? "");
  }
}

export function requestHead(path: string, fields: HeaderList = [], method = "POST"): RequestHead {
  return {
    method,
    scheme: "http",
    authority: "localhost",
    path,
    fields: [["content-type", "application/grpc"], ["te", "trailers"], ...fields],
    memo: undefined,
  };
}

/** One request with all of its body in one piece, or in pieces. */
export function request(
  onRequest: RequestListener,
  head: RequestHead | string,
  ...pieces: readonly Uint8Array[]
): { readonly stream: FakeStream; readonly listener: StreamListener } {
  const stream = new FakeStream();
  const listener = onRequest(stream, typeof head === "string" ? requestHead(head) : head);
  for (const piece of pieces) {
    if (!stream.closed) listener.data(piece, 0, piece.length);
  }
  if (!stream.closed) listener.ended();
  return { stream, listener };
}
