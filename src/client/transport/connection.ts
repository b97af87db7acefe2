/** One HTTP/2 connection to one server. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { connectionClosing, GrpcStatus, RpcError } from "../status.ts";
import type { Endpoint } from "./endpoint.ts";
import { type KeepAlive, type Watched, watchPeer } from "./keep-alive.ts";
import { plainSocket, type Tls } from "./tls.ts";

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  /** For an endpoint that is secure. */
  readonly tls: () => Tls;
  readonly keepAlive: KeepAlive;
  readonly clock: Clock;
}

/** Each is called once. */
export interface Observer {
  /** No calls may begin on it any more. */
  onUnusable(): void;
  /** It is closed, or as good as. */
  onGone(): void;
}

/** gRPC's: as long as that, a server may take to say that it is one. */
const HANDSHAKE_MAX_MS = 20_000;

/** What a server may send of one response before we have looked at it. */
const STREAM_WINDOW_BYTES = 2 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;

/** Node would refuse what goes beyond it, in MB: we have bounds of our own. */
const SESSION_MEMORY_MB = 4000;

export class Connection {
  readonly endpoint: Endpoint;
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #gone = new AbortController();
  readonly #watched: Watched;
  #openedMs = 0;
  #calls = 0;
  #isWatched = false;
  #retired = false;
  #isToldUnusable = false;
  #lost: RpcError | undefined;
  #observer: Observer | undefined;
  /** The last stream that the server says it has looked at, if it says so. */
  #lastStream = Number.POSITIVE_INFINITY;

  private constructor(session: ClientHttp2Session, socket: Socket, options: ConnectionOptions) {
    this.endpoint = options.endpoint;
    this.#session = session;
    this.#socket = socket;
    this.#options = options;
    this.#watched = {
      bytesRead: () => socket.bytesRead,
      isBusy: () => this.#calls > 0 && this.#lost === undefined,
      ping: (answered) => {
        if (session.destroyed) return;
        session.ping((error) => {
          if (error === null) answered();
        });
      },
      pingedMs: Number.NEGATIVE_INFINITY,
      signal: this.#gone.signal,
    };
    // Ours on the socket come before the session's, so that calls which the session ends find the reason here.
    socket.on("error", (error) => this.#fail(error));
    session.on("error", (error) => this.#fail(error));
    for (const one of [socket, session]) {
      one.on("close", () => this.#fail(new Error("the server closed the connection")));
    }
    session.on("goaway", (code, lastStream) => {
      if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM) options.keepAlive.slowDown();
      this.#lastStream = lastStream;
      this.#retired = true;
      this.#tellUnusable();
    });
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    });
  }

  /**
   * Resolves when the server has shown that it speaks HTTP/2: what it sends first are its settings.
   * @throws (rejects) Error that says why there is no connection; nothing of it is left
   */
  static open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const { endpoint } = options;
    const socket = endpoint.secure ? options.tls().connect(endpoint) : plainSocket(endpoint);
    const session = connect(`http://${endpoint.authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    const connection = new Connection(session, socket, options);
    return new Promise((resolve, reject) => {
      const giveUp = (cause: Error): void => connection.destroy(connectionClosing({ cause }));
      const aborted = (): void => giveUp(new Error("it is not needed any more"));
      const timer = setTimeout(
        () => giveUp(new Error("the server did not say that it speaks HTTP/2")),
        HANDSHAKE_MAX_MS,
      );
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        connection.#observer = undefined;
      };
      signal.addEventListener("abort", aborted);
      session.once("remoteSettings", () => {
        settle();
        connection.#openedMs = options.clock.nowMs();
        resolve(connection);
      });
      connection.observe({
        onUnusable: () => undefined,
        onGone: () => {
          settle();
          reject(connection.#lost?.cause);
        },
      });
      if (signal.aborted) aborted();
    });
  }

  get openedMs(): number {
    return this.#openedMs;
  }

  /** Whether calls may begin on it. */
  get isUsable(): boolean {
    const { closed, destroyed } = this.#session;
    return !this.#retired && this.#lost === undefined && !closed && !destroyed;
  }

  /** Why it is gone, if it is. */
  get lost(): RpcError | undefined {
    return this.#lost;
  }

  /** Why a call on it has ended with it, if it has. @param cause  what the call has heard of */
  lostWith(cause: unknown): RpcError | undefined {
    if (this.#session.destroyed) {
      this.#fail(cause instanceof Error ? cause : new Error("the session has ended"));
    }
    return this.#lost;
  }

  observe(observer: Observer): void {
    this.#observer = observer;
    this.#isToldUnusable = false;
    if (!this.isUsable) this.#tellUnusable();
    if (this.#lost !== undefined) observer.onGone();
  }

  /** Whether the server has said that it did not look at this one. */
  refused(stream: ClientHttp2Stream): boolean {
    return (
      stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || (stream.id ?? 0) > this.#lastStream
    );
  }

  /** @throws Error (of Node) for headers that HTTP/2 does not know; if it is not usable */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream: false });
    this.#calls++;
    stream.once("close", () => {
      this.#calls--;
      this.#endIfIdle();
    });
    if (!this.#isWatched) void this.#watch();
    return stream;
  }

  /** No more calls; it ends with the last one. */
  retire(): void {
    this.#retired = true;
    this.#tellUnusable();
    this.#endIfIdle();
  }

  /** Ends it and the calls on it, for this reason. */
  destroy(why: RpcError): void {
    this.#lose(why);
    this.#session.destroy();
    this.#socket.destroy();
  }

  async #watch(): Promise<void> {
    this.#isWatched = true;
    const { keepAlive, clock } = this.#options;
    const isDead = await watchPeer(this.#watched, keepAlive, clock);
    this.#isWatched = false;
    if (!isDead) {
      if (keepAlive.timeMs > 0 && this.#watched.isBusy()) void this.#watch();
      return;
    }
    const what = "keepalive ping failed to receive ACK within timeout";
    this.destroy(new RpcError(GrpcStatus.unavailable, what));
  }

  /** What has come before is still given to the calls. Node does not end a session in every case. */
  #fail(cause: Error): void {
    if (this.#lost !== undefined) return;
    const why = connectionClosing({ cause });
    this.#lose(why);
    setImmediate(() => this.destroy(why));
  }

  #lose(why: RpcError): void {
    if (this.#lost !== undefined) return;
    this.#lost = why;
    this.#gone.abort();
    this.#tellUnusable();
    this.#observer?.onGone();
  }

  #endIfIdle(): void {
    if (!this.#retired || this.#calls > 0) return;
    this.destroy(connectionClosing());
  }

  #tellUnusable(): void {
    if (this.#isToldUnusable) return;
    this.#isToldUnusable = this.#observer !== undefined;
    this.#observer?.onUnusable();
  }
}
