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
  /** Until the server has said that it speaks HTTP/2. Default: 20,000, which is gRPC's. */
  readonly dialTimeoutMs?: number | undefined;
}

/** Each is called once. */
export interface Observer {
  /** No calls may begin on it any more. */
  onUnusable(): void;
  /** It is closed, or as good as. */
  onGone(): void;
}

const DIAL_TIMEOUT_MS = 20_000;

/** What a server may send of one response before we have looked at it. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Node would refuse what goes beyond it, in MB: we have bounds of our own. */
const SESSION_MEMORY_MB = 4000;

export class Connection {
  readonly endpoint: Endpoint;
  readonly openedMs: number;
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #gone = new AbortController();
  readonly #watched: Watched;
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
    this.openedMs = options.clock.nowMs();
    this.#session = session;
    this.#socket = socket;
    this.#options = options;
    this.#watched = {
      bytesRead: () => socket.bytesRead,
      isBusy: () => this.#calls > 0 && this.#lost === undefined,
      ping: (answered) => {
        if (!session.destroyed) session.ping(answered);
      },
      pingedMs: Number.NEGATIVE_INFINITY,
      signal: this.#gone.signal,
    };
  }

  /**
   * Resolves when the server has shown that it speaks HTTP/2: what it sends first are its settings.
   * @throws (rejects) Error that says why there is no connection; nothing of it is left
   */
  static open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const { endpoint, keepAlive, dialTimeoutMs = DIAL_TIMEOUT_MS } = options;
    return new Promise((resolve, reject) => {
      const socket = endpoint.secure ? options.tls().connect(endpoint) : plainSocket(endpoint);
      const session = connect(`http://${endpoint.authority}`, {
        createConnection: () => socket,
        settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
        maxSessionMemory: SESSION_MEMORY_MB,
      });
      const connection = new Connection(session, socket, options);
      let why: unknown;
      const giveUp = (reason: unknown): void => {
        why ??= reason;
        session.destroy();
        socket.destroy();
      };
      const aborted = (): void => giveUp(signal.reason);
      const timer = setTimeout(
        () => giveUp(new Error("the server did not say that it speaks HTTP/2")),
        dialTimeoutMs,
      );
      const settled = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
      };
      if (signal.aborted) aborted();
      else signal.addEventListener("abort", aborted);
      session.once("connect", () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
      session.once("remoteSettings", () => {
        settled();
        resolve(connection);
      });
      // The socket's own reason is the better one; its listener comes before the session's.
      socket.on("error", (error) => connection.#fail(error));
      session.on("error", (error) => connection.#fail(error));
      session.on("goaway", (code, lastStream) => {
        if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM) keepAlive.slowDown();
        connection.#lastStream = lastStream;
        connection.#retired = true;
        connection.#tellUnusable();
      });
      socket.on("close", () => connection.#fail(new Error("the server closed the connection")));
      session.on("close", () => {
        connection.#fail(new Error("the server closed the connection"));
        settled();
        reject(why ?? connection.#lost?.cause);
      });
    });
  }

  /** Whether calls may begin on it. */
  get isUsable(): boolean {
    return !this.#retired && this.#lost === undefined && !this.#session.closed;
  }

  /** Why calls on it end, if it is gone. */
  get lost(): RpcError | undefined {
    if (this.#session.destroyed) this.#fail(new Error("the session has ended"));
    return this.#lost;
  }

  observe(observer: Observer): void {
    this.#observer = observer;
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
    const isDead = await watchPeer(this.#watched, this.#options.keepAlive, this.#options.clock);
    this.#isWatched = false;
    if (!isDead) return;
    const what = "keepalive ping failed to receive ACK within timeout";
    this.destroy(new RpcError(GrpcStatus.unavailable, what));
  }

  /** Node ends the session, and the calls on it, by itself: what has come of them before is theirs. */
  #fail(cause: Error): void {
    this.#lose(connectionClosing({ cause }));
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
