/** Every URL that a server listens on, taken before it is known what there is to serve. */
import type { RequestListener as Http1Handler } from "node:http";
import type { GrpcServer } from "../grpc/grpc-server.ts";
import type { Http2Options } from "../http2/limits.ts";
import type { ServerConfig } from "./config/server-config.ts";
import { ConfigError } from "./config/settings.ts";
import { isSecure, type MemberUrl } from "./config/url-list.ts";
import { Listener } from "./listener.ts";
import type { Logger } from "./logging/logger.ts";
import type { ClientTls } from "./tls/client-tls.ts";

/** What is served, once the member is open. */
export interface Served {
  readonly grpc: GrpcServer;
  readonly client: Http1Handler;
  readonly monitoring: Http1Handler;
  readonly peer: Http1Handler;
}

interface Open {
  readonly url: MemberUrl;
  readonly listener: Listener;
}

export interface ListenersOptions {
  readonly tls: ClientTls | undefined;
  readonly maxConnections: number | undefined;
  readonly log: Logger;
}

type Kind = "client" | "clientHttp" | "monitoring" | "peer";

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #http2: Partial<Http2Options>;
  readonly #splitHttp: boolean;
  readonly #open: (Open & { readonly kind: Kind })[] = [];
  readonly #served: Promise<Served>;
  #serve: (served: Served) => void = () => undefined;

  /** @throws (rejects) ConfigError, and StrataError IO for an address that is not to be had; then none is taken */
  static async open(config: ServerConfig, options: ListenersOptions): Promise<Listeners> {
    const listeners = new Listeners(config, options);
    try {
      await listeners.#openAll(config);
    } catch (error) {
      await listeners.close(0);
      throw error;
    }
    return listeners;
  }

  private constructor(config: ServerConfig, options: ListenersOptions) {
    this.#options = options;
    this.#splitHttp = config.listenClientHttpUrls.length > 0;
    const { keepalive } = config;
    const pings = keepalive.intervalMs > 0 && keepalive.timeoutMs > 0;
    this.#http2 = {
      maxConcurrentStreams: config.maxConcurrentStreams,
      keepaliveMinTimeMs: Math.max(keepalive.minTimeMs, 0),
      keepaliveIntervalMs: pings ? keepalive.intervalMs : 0,
      keepaliveTimeoutMs: keepalive.timeoutMs,
    };
    this.#served = new Promise((resolve) => {
      this.#serve = resolve;
    });
  }

  /** Answers whoever has come, and whoever comes. */
  serve(served: Served): void {
    this.#serve(served);
  }

  /** Where clients come with gRPC, with the ports that the system has given. */
  get clientUrls(): readonly string[] {
    return this.#urls("client");
  }

  get metricsUrls(): readonly string[] {
    return this.#urls("monitoring");
  }

  /** What a log shows: one line each. */
  get clientPorts(): readonly { readonly address: string; readonly secure: boolean }[] {
    return this.#open
      .filter(({ kind }) => kind === "client" || kind === "clientHttp")
      .map(({ url, listener }) => ({ address: addressOf(url, listener), secure: isSecure(url) }));
  }

  /** @see Listener.close */
  async close(graceMs: number): Promise<void> {
    await Promise.all(this.#open.map(({ listener }) => listener.close(graceMs)));
  }

  #urls(wanted: Kind): readonly string[] {
    return this.#open
      .filter(({ kind }) => kind === wanted)
      .map(({ url, listener }) =>
        url.scheme === "unix" || url.scheme === "unixs" || url.port !== 0
          ? url.text
          : `${url.scheme}://${shownHost(url)}:${listener.port}`,
      );
  }

  async #openAll(config: ServerConfig): Promise<void> {
    for (const { address, text } of config.listenClientHttpUrls) {
      if (config.listenClientUrls.every((url) => url.address !== address)) continue;
      throw new ConfigError(
        `cannot bind both --listen-client-urls and --listen-client-http-urls on the same url ${text}`,
      );
    }
    const kinds: readonly (readonly [Kind, readonly MemberUrl[]])[] = [
      ["peer", config.listenPeerUrls],
      ["client", config.listenClientUrls],
      ["clientHttp", config.listenClientHttpUrls],
      ["monitoring", config.listenMetricsUrls],
    ];
    for (const [kind, urls] of kinds) {
      for (const url of urls) {
        const listener = await this.#openOne(kind, url);
        this.#open.push({ kind, url, listener });
      }
    }
  }

  #openOne(kind: Kind, url: MemberUrl): Promise<Listener> {
    const { log, maxConnections } = this.#options;
    const isGrpc = kind === "client";
    const isHttp = kind !== "client" || !this.#splitHttp;
    return Listener.open({
      address: url,
      tls: isSecure(url) ? this.#tls(kind, url) : undefined,
      until: this.#served,
      ...(isGrpc && { grpc: this.#grpc() }),
      ...(isHttp && { http1: this.#http(kind) }),
      http2: this.#http2,
      ...(maxConnections !== undefined && { maxConnections }),
      onRefused: (address, name, error) => {
        const say = error === "EOF" ? "debug" : "warn";
        log[say]("rejected connection on client endpoint", {
          "remote-addr": address,
          "server-name": name,
          error,
        });
      },
      onAcceptError: ({ message }) => {
        log.warn("a connection could not be accepted", { address: url.text, error: message });
      },
    });
  }

  #tls(kind: Kind, { text }: MemberUrl): ClientTls {
    const { tls } = this.#options;
    if (tls !== undefined) return tls;
    throw new ConfigError(
      kind === "monitoring"
        ? "client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url"
        : `TLS key/cert (--cert-file, --key-file) must be provided for client url ${text} with HTTPS scheme`,
    );
  }

  /** The listener lets nobody in before there is a server. */
  #grpc(): Pick<GrpcServer, "listener"> {
    let served: Served | undefined;
    void this.#served.then((found) => {
      served = found;
    });
    return {
      listener: (others) => {
        let inner: ReturnType<GrpcServer["listener"]> | undefined;
        return (stream, head) => {
          inner ??= served?.grpc.listener(others);
          if (inner === undefined) throw new Error("a request before there is a server");
          return inner(stream, head);
        };
      },
    };
  }

  #http(kind: Kind): Http1Handler {
    let handler: Http1Handler | undefined;
    void this.#served.then((found) => {
      handler = kind === "peer" || kind === "monitoring" ? found[kind] : found.client;
    });
    return (request, response) => handler?.(request, response);
  }
}

function shownHost({ address }: MemberUrl): string {
  return address.slice(0, address.lastIndexOf(":"));
}

function addressOf(url: MemberUrl, listener: Listener): string {
  if (url.scheme === "unix" || url.scheme === "unixs") return url.address;
  const host = url.host === "localhost" ? "127.0.0.1" : shownHost(url) || "[::]";
  return `${host}:${listener.port}`;
}
