/**
 * One URL that clients come to. On the same port there are HTTP/2 with gRPC in it and HTTP/1.1, told apart by the first
 * bytes or, with TLS, by ALPN; nobody is upgraded.
 *
 * Where nobody speaks for a protocol, and for what is neither, the connection is closed without a word, as etcd does.
 */
import {
  createServer as createHttpServer,
  type RequestListener as Http1Handler,
  type Server as HttpServer,
} from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { GrpcServer } from "../grpc/grpc-server.ts";
import type { RequestListener } from "../http2/exchange.ts";
import type { Http2Options } from "../http2/limits.ts";
import { type ServerConnection, serveHttp2 } from "../http2/server-connection.ts";
import { bind, type ListenAddress } from "./listener/bind.ts";
import { protocolOf } from "./listener/first-bytes.ts";
import { requestsTo } from "./listener/http2-requests.ts";
import { TlsDoor, type TlsSide } from "./listener/tls-door.ts";

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** For https and unixs. */
  readonly tls?: TlsSide | undefined;
  /** Undefined: this port is for HTTP/1.1. */
  readonly grpc?: Pick<GrpcServer, "listener"> | undefined;
  /**
   * With TLS it also gets what comes by HTTP/2 and is not gRPC's; on a plain port that is refused with 415, as in etcd.
   * Undefined: this port is for gRPC.
   */
  readonly http1?: Http1Handler | undefined;
  readonly http2?: Partial<Http2Options>;
  /** Who comes before it has resolved waits for it. */
  readonly until?: Promise<unknown> | undefined;
  /** How long a connection may say nothing at first. */
  readonly firstBytesTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
  /** Further ones are closed as they come. */
  readonly maxConnections?: number;
  /** A connection was turned away: its handshake failed, or its certificate is not liked. `why` as Go has it. */
  readonly onRefused?: (remoteAddress: string, serverName: string, why: string) => void;
  /** The system would not give us a connection, as when there are too many open files. */
  readonly onAcceptError?: (error: Error) => void;
}

/** As long as grpc-go waits for a connection to become one. */
const FIRST_BYTES_TIMEOUT_MS = 120_000;
/** As etcd's. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Between two probes of a connection that is silent, by the system: Go's default. */
const KEEPALIVE_MS = 30_000;
/** Of all headers of a request by HTTP/1.1. */
const HTTP1_HEADERS_BYTES = 65_536;
const HTTP1_HEADERS_TIMEOUT_MS = 60_000;
const HTTP1_IDLE_TIMEOUT_MS = 300_000;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #door: TlsDoor | undefined;
  readonly #http1: HttpServer | undefined;
  readonly #requests: RequestListener | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<ServerConnection>();
  /** Who has not said yet what they speak. */
  readonly #strangers = new Set<Socket>();
  #goneBytesIn = 0;
  #goneBytesOut = 0;
  #closing = false;
  #serving: boolean;

  /** @throws StrataError IO, in Go's words, if the address cannot be had */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    await bind(listener.#server, options.address);
    listener.#server.on("error", (error) => options.onAcceptError?.(error));
    return listener;
  }

  private constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls, grpc, http1, until, maxConnections } = options;
    this.#serving = until === undefined;
    void until?.then(() => {
      this.#serving = true;
    });
    if (http1 !== undefined) this.#http1 = this.#http1Server(http1);
    const others = tls !== undefined && this.#http1 ? requestsTo(this.#http1) : undefined;
    this.#requests = grpc === undefined ? others : grpc.listener(others);
    if (tls !== undefined) {
      this.#door = new TlsDoor({
        tls,
        handshakeTimeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
        onSecure: (socket) => this.#secured(socket),
        onRefused: (...refusal) => options.onRefused?.(...refusal),
      });
    }
    this.#server = createServer(
      {
        // As node:http has it, plain and with TLS.
        allowHalfOpen: tls === undefined,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEPALIVE_MS,
      },
      (socket) => this.#accepted(socket),
    );
    if (maxConnections !== undefined) this.#server.maxConnections = maxConnections;
  }

  /** Which one the system has given, if it was asked for any; 0: a unix socket. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Of all connections ever, as they are on the wire. */
  get bytesIn(): number {
    let bytes = this.#goneBytesIn;
    for (const socket of this.#sockets) bytes += socket.bytesRead;
    return bytes;
  }

  get bytesOut(): number {
    let bytes = this.#goneBytesOut;
    for (const socket of this.#sockets) bytes += socket.bytesWritten;
    return bytes;
  }

  /**
   * Takes no more connections, and tells the peers of those that are there; what is under way has `graceMs` to come to
   * its end, and is cut off then. Call `drain` of the gRPC server before, or streams will last that long.
   */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#closing = true;
    this.#door?.close();
    for (const socket of this.#strangers) socket.destroy();
    for (const connection of this.#connections) connection.goAway();
    this.#http1?.close();
    this.#http1?.closeIdleConnections();
    const timer = setTimeout(() => this.#cutOff(), graceMs);
    await closed;
    // The system is done with them; that they are closed is only about to be said.
    await Promise.all([...this.#sockets].map(ended));
    clearTimeout(timer);
  }

  #cutOff(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accepted(socket: Socket): void {
    this.#sockets.add(socket);
    // Whoever has the socket looks at its end; the reason does not matter to anybody.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#goneBytesIn += socket.bytesRead;
      this.#goneBytesOut += socket.bytesWritten;
    });
    if (this.#serving) this.#admit(socket);
    else void this.#options.until?.then(() => this.#admit(socket));
  }

  #admit(socket: Socket): void {
    if (this.#door === undefined) this.#sniff(socket);
    else this.#door.enter(socket);
  }

  #secured(socket: TLSSocket): void {
    socket.on("error", () => {});
    if (socket.alpnProtocol === "h2") this.#speakHttp2(socket, Buffer.alloc(0));
    else this.#sniff(socket);
  }

  #sniff(socket: Socket): void {
    let head: Buffer = Buffer.alloc(0);
    const timeoutMs = this.#options.firstBytesTimeoutMs ?? FIRST_BYTES_TIMEOUT_MS;
    const gone = (): void => {
      done();
      socket.destroy();
    };
    const timer = setTimeout(gone, timeoutMs);
    const read = (chunk: Buffer): void => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const protocol = protocolOf(head);
      if (protocol === "undecided") return;
      done();
      if (protocol === "http2") this.#speakHttp2(socket, head);
      else if (protocol === "http1") this.#speakHttp1(socket, head);
      else socket.destroy();
    };
    const done = (): void => {
      clearTimeout(timer);
      this.#strangers.delete(socket);
      socket.off("data", read);
      socket.off("end", gone);
      socket.off("close", done);
    };
    this.#strangers.add(socket);
    socket.on("data", read);
    socket.on("end", gone);
    socket.on("close", done);
  }

  #speakHttp2(socket: Socket, head: Buffer): void {
    if (this.#requests === undefined) {
      socket.destroy();
      return;
    }
    const { http2 = {} } = this.#options;
    const connection = serveHttp2(socket, head, http2, this.#requests);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#closing) connection.goAway();
  }

  #speakHttp1(socket: Socket, head: Buffer): void {
    if (this.#http1 === undefined) {
      socket.destroy();
      return;
    }
    socket.pause();
    socket.unshift(head);
    this.#http1.emit("connection", socket);
    socket.resume();
  }

  #http1Server(handler: Http1Handler): HttpServer {
    const server = createHttpServer(
      {
        maxHeaderSize: HTTP1_HEADERS_BYTES,
        headersTimeout: HTTP1_HEADERS_TIMEOUT_MS,
        keepAliveTimeout: HTTP1_IDLE_TIMEOUT_MS,
      },
      (request, response) => {
        if (this.#closing) response.setHeader("connection", "close");
        response.on("close", () => {
          if (this.#closing) setImmediate(() => server.closeIdleConnections());
        });
        handler(request, response);
      },
    );
    // It never listens itself, but only with this does it watch over its timeouts.
    server.emit("listening");
    return server;
  }
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}
