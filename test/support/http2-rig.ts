/** A listening HTTP/2 server of ours for a test, and what came of its requests. Gone when the test is. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { onTestFinished } from "vitest";
import type {
  HeaderList,
  RequestHead,
  RequestListener,
  ServerStream,
} from "../../src/http2/exchange.ts";
import type { Http2Options } from "../../src/http2/limits.ts";
import { type ServerConnection, serveHttp2 } from "../../src/http2/server-connection.ts";
import { duplexPair } from "./duplex-pair.ts";
import { Http2Peer } from "./http2-peer.ts";

export const HEAD: HeaderList = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];
export const TRAILERS: HeaderList = [["grpc-status", "0"]];

/** One request, as its listener saw it. */
export interface SeenRequest {
  readonly stream: ServerStream;
  readonly head: RequestHead;
  readonly parts: Uint8Array[];
  readonly events: ("ended" | "drained" | "cancelled")[];
}

export interface Listening {
  readonly onRequest: RequestListener;
  readonly seen: SeenRequest[];
}

/** Keeps everything, and does `answer` when a request is whole. */
export function listening(answer: (request: SeenRequest) => void = () => {}): Listening {
  const seen: SeenRequest[] = [];
  return {
    seen,
    onRequest: (stream, head) => {
      const request: SeenRequest = { stream, head, parts: [], events: [] };
      seen.push(request);
      return {
        data: (bytes, start, end) => void request.parts.push(bytes.subarray(start, end)),
        ended: () => {
          request.events.push("ended");
          answer(request);
        },
        drained: () => void request.events.push("drained"),
        cancelled: () => void request.events.push("cancelled"),
      };
    },
  };
}

/** Answers with what was sent. */
export function echo(): Listening {
  return listening(({ stream, parts }) => stream.respond(HEAD, parts, TRAILERS));
}

export interface Rig extends Listening {
  readonly port: number;
  readonly connections: ServerConnection[];
  /** A client of this server that says whatever it is told. */
  peer(): Http2Peer;
}

export async function rig(
  listener: Listening = echo(),
  options: Partial<Http2Options> = {},
  tls?: TlsOptions,
): Promise<Rig> {
  const connections: ServerConnection[] = [];
  const peers: Http2Peer[] = [];
  const serve = (socket: Socket): void => {
    connections.push(serveHttp2(socket, new Uint8Array(0), options, listener.onRequest));
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    for (const { socket } of peers) socket.destroy();
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    ...listener,
    port,
    connections,
    peer: () => {
      const peer = new Http2Peer(connect({ port, host: "127.0.0.1", noDelay: true }));
      peers.push(peer);
      return peer;
    },
  };
}

export interface Pair extends Listening {
  readonly connection: ServerConnection;
  readonly peer: Http2Peer;
}

/** Without a socket: what is sent arrives in the same chunks. */
export function pair(listener: Listening = echo(), options: Partial<Http2Options> = {}): Pair {
  const [ours, theirs] = duplexPair();
  const connection = serveHttp2(ours, new Uint8Array(0), options, listener.onRequest);
  return { ...listener, connection, peer: new Http2Peer(theirs) };
}
