/** A server on `node:http2` that a test tells what to do with each stream: well, badly, or not at all. */
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { ListenOptions, Socket } from "node:net";
import { cleanUpAtEnd } from "./cleanup.ts";

export type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  peer: HostilePeer,
) => void;

const PREFIX_BYTES = 5;

export class HostilePeer implements AsyncDisposable {
  readonly sockets: Set<Socket> = new Set();
  readonly sessions: Set<ServerHttp2Session> = new Set();
  /** Heads of all requests so far. */
  readonly requests: IncomingHttpHeaders[] = [];
  /** Connections so far. */
  connections = 0;
  /** Told of every new one. */
  onSession: ((session: ServerHttp2Session) => void) | undefined;
  /** Of TCP. */
  port = 0;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #forget: () => void;

  private constructor(server: Http2Server | Http2SecureServer, onStream: OnStream) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.sockets.delete(socket));
    });
    server.on("session", (session: ServerHttp2Session) => {
      this.sessions.add(session);
      this.onSession?.(session);
      session.on("error", () => undefined);
      session.on("close", () => this.sessions.delete(session));
    });
    server.on("sessionError", () => undefined);
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on("error", () => undefined);
      this.requests.push(headers);
      onStream(stream, headers, this);
    });
    this.#forget = cleanUpAtEnd(() => this.kill());
  }

  static async start(
    onStream: OnStream,
    {
      listen = {},
      tls,
    }: { readonly listen?: ListenOptions; readonly tls?: SecureServerOptions } = {},
  ): Promise<HostilePeer> {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    const peer = new HostilePeer(server, onStream);
    const where = listen.path === undefined ? { host: "127.0.0.1", port: 0, ...listen } : listen;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(where, resolve);
    });
    const address = server.address();
    if (typeof address === "object") peer.port = address?.port ?? 0;
    return peer;
  }

  /** `127.0.0.1:12345` */
  get endpoint(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** As a process that is killed: connections are gone, and nobody listens. */
  kill(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    this.#forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
  }
}

/** As a message goes over the wire. @param flag  1: compressed */
export function onWire(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export const GRPC_HEAD = { ":status": 200, "content-type": "application/grpc" } as const;

/** Ends a stream with these messages and trailers. */
export function answer(
  stream: ServerHttp2Stream,
  messages: readonly Uint8Array[],
  trailers: Readonly<Record<string, string>> = { "grpc-status": "0" },
): void {
  stream.respond(GRPC_HEAD, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(Buffer.concat(messages.map((message) => onWire(message))));
}

/** A status without a response. */
export function refuse(stream: ServerHttp2Stream, status: number, message: string): void {
  stream.respond(
    { ...GRPC_HEAD, "grpc-status": String(status), "grpc-message": message },
    { endStream: true },
  );
}

/** The messages of a request, when it is whole. */
export async function requestOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).subarray(PREFIX_BYTES);
}

/** Gives every message back as it comes: the whole body, byte for byte, is its own answer. */
export function echo(stream: ServerHttp2Stream): void {
  stream.respond(GRPC_HEAD, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
}
