/** What a client is told about its servers. */
import type { Clock } from "../../base/clock.ts";

export interface TlsOptions {
  /** PEM. Default: the authorities that Node knows. */
  readonly ca?: string | Uint8Array | undefined;
  /** PEM; `cert` and `key` go together. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** Take any certificate of the server. */
  readonly insecureSkipVerify?: boolean | undefined;
  /** The name that the server's certificate must be for. Default: the endpoint's host. */
  readonly serverName?: string | undefined;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface TransportOptions {
  /**
   * `host:port`, `:port` (this machine), `http://…`, `https://…`, `unix://path`, `unixs://path`, with spaces around
   * them or not. Of several, one that lives is used, and another one when it does not any more.
   */
  readonly endpoints: readonly string[];
  /** Endpoints without a scheme are spoken to in TLS if it is there; `http://` and `unix://` never are. */
  readonly tls?: TlsOptions | undefined;
  /** A token is fetched with them before the first call, and again when it is not taken any more. */
  readonly credentials?: Credentials | undefined;
  /**
   * How long a unary call waits for a connection, before it rejects with Unavailable and what was in the way. Streams
   * wait on. Default: as long as the call.
   */
  readonly dialTimeoutMs?: number | undefined;
  /** Silence after which a server is asked whether it is still there, while it owes an answer. Default: 2000; 0: never. */
  readonly keepAliveTimeMs?: number | undefined;
  /** How long it has to say so. Default: 6000. */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** Of one request. Default: 2 MiB. */
  readonly maxSendBytes?: number | undefined;
  /** Of one answer. Default: 2^31 - 1. */
  readonly maxReceiveBytes?: number | undefined;
  /** For the waits between attempts and pings. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** For jitter, and for which endpoint comes first: [0, 1). Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}
