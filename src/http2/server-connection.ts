/** The door to HTTP/2: a socket in, requests out. */
import type { Duplex } from "node:stream";
import { Connection } from "./connection.ts";
import type { Peer, RequestListener } from "./exchange.ts";
import { DEFAULT_HTTP2_OPTIONS, type Http2Options } from "./limits.ts";

export interface ServerConnection {
  readonly peer: Peer;
  /** Resolves when the socket is closed, for whatever reason. */
  readonly closed: Promise<void>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly openStreams: number;
  /** Of responses, not yet taken by the system. */
  readonly bufferedBytes: number;
  /** Ends the connection when the streams that are open have ended; no later ones are taken. */
  goAway(): void;
  /** Ends it at once: all streams are cancelled. */
  destroy(): void;
}

/**
 * Serves HTTP/2 on a socket whose peer is known, or believed, to speak it: it must begin with the preface.
 * @param socket  of `node:net` or `node:tls`; its events are the connection's from here on
 * @param firstBytes  what was read of it already
 */
export function serveHttp2(
  socket: Duplex,
  firstBytes: Uint8Array,
  options: Partial<Http2Options>,
  onRequest: RequestListener,
): ServerConnection {
  const connection = new Connection(socket, { ...DEFAULT_HTTP2_OPTIONS, ...options }, onRequest);
  connection.begin(firstBytes);
  return connection;
}
