/**
 * What a connection and whoever answers its requests know of each other. The connection does frames, header
 * compression, flow control and limits; the listener sees requests and bytes.
 *
 * @see RFC 9113, 8 "Expressing HTTP Semantics in HTTP/2"
 */
import type { ErrorCode } from "./error-code.ts";

/** Names in lower case; values are one character a byte. In the order of the wire, repeated names repeated. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * The head of a request. Requests with the same header block may be given one and the same object, so nothing in it
 * may be changed, but for `memo`.
 */
export interface RequestHead {
  readonly method: string;
  readonly scheme: string;
  /** Of `:authority`, or else `host`. */
  readonly authority: string;
  readonly path: string;
  /** Without the pseudo-headers. */
  readonly fields: HeaderList;
  /** The listener's own: what it found out about this head, so that it need not again. */
  memo: unknown;
}

/** One request and its response, as the listener acts on it. After its end every call is ignored. */
export interface ServerStream {
  readonly id: number;
  readonly peer: Peer;
  /** The response is on its way as a whole, or there will be none. */
  readonly closed: boolean;
  /** Of the response, not yet given to the socket: what waits for the peer to read. */
  readonly bufferedBytes: number;
  /**
   * A whole response at once: the fast way. What is in `parts` is copied or sent before this returns, unless a part
   * is of more than 16 KiB: that one must not change any more.
   * @param head, trailers  lists that are used again and again (the same object) cost a byte or two each
   */
  respond(head: HeaderList, parts: readonly Uint8Array[], trailers: HeaderList): void;
  /** @param end  there is no body, and these are all the headers */
  sendHead(head: HeaderList, end?: boolean): void;
  /** As in `respond`. @returns false: enough waits for this stream; `drained` will tell */
  sendData(parts: readonly Uint8Array[]): boolean;
  /**
   * Tells once when the system has what was sent so far, so that memory it was sent from may be used again. Not called
   * if the stream ends before that. One at a time.
   */
  whenWritten(written: () => void): void;
  /** Ends the response. */
  sendTrailers(trailers: HeaderList): void;
  /** Ends both directions with RST_STREAM. */
  reset(code: ErrorCode): void;
  /** While it is paused the peer is granted no more of the request's body than it was already. */
  pause(): void;
  resume(): void;
}

/** What a connection tells of one request. Nothing is called after the stream is closed. */
export interface StreamListener {
  /** Some of the body. The bytes are the listener's to keep, not to change. */
  data(bytes: Uint8Array, start: number, end: number): void;
  /** The request is whole. */
  ended(): void;
  /** After `sendData` returned false: little waits now. */
  drained(): void;
  /** The peer has reset the stream, or the connection is gone: nobody waits for the response any more. */
  cancelled(): void;
}

/** Called once the head of a request is whole; `ended` follows on the listener if it has no body. */
export type RequestListener = (stream: ServerStream, head: RequestHead) => StreamListener;

/** Who is at the other end. */
export interface Peer {
  /** `address:port`, or the path of a unix socket. */
  readonly remoteAddress: string;
  /** Of a TLS client that has shown a certificate which was verified: its subject's common name. */
  readonly certificateCommonName: string | undefined;
}
