/** What a client is made of. */
import { StrataError } from "../base/errors.ts";
import type { TlsOptions, TransportOptions } from "./transport/transport-options.ts";

export interface ClientOptions {
  /**
   * One, several, or several with commas between them: `host:port`, `http://…`, `https://…`, `unix://path`. Of several,
   * one that lives is used, and another one when it does not any more.
   */
  readonly endpoints: string | readonly string[];
  /** Endpoints without a scheme are spoken to in TLS if it is there. */
  readonly tls?: TlsOptions | undefined;
  /** Who calls, where the cluster has authentication. They go together. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /**
   * From a call to its answer, waiting for a connection included, unless the call says otherwise. Watches, held leases,
   * locks and snapshots have no end of their own. Default: none, an answer is waited for as long as it takes.
   */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * How long a call waits for a connection, before it rejects with an `RpcError` Unavailable that says what was in the
   * way: a wrong address or certificate is not waited for for ever. Watches, held leases and locks wait on. Default: 30,000.
   */
  readonly dialTimeoutMs?: number | undefined;
  /** Silence after which a server is asked whether it is still there, while it owes an answer. Default: 2000. */
  readonly keepAliveTimeMs?: number | undefined;
  /** How long it has to say so. Default: 6000. */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** Of one request. Default: 2 MiB. */
  readonly maxSendBytes?: number | undefined;
  /** Of one answer. Default: 2^31 - 1. */
  readonly maxReceiveBytes?: number | undefined;
}

const DIAL_TIMEOUT_MS = 30_000;

const ABOVE_ZERO = [
  "requestTimeoutMs",
  "dialTimeoutMs",
  "keepAliveTimeMs",
  "keepAliveTimeoutMs",
  "maxSendBytes",
  "maxReceiveBytes",
] as const;

/** @throws StrataError BAD_ARGUMENT */
export function transportOptions(options: ClientOptions): TransportOptions {
  const { user, password, tls } = options;
  const endpoints = [options.endpoints]
    .flat()
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (endpoints.length === 0) throw bad("endpoints: there must be one at least");
  if ((user === undefined) !== (password === undefined)) {
    throw bad("user and password go together");
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    throw bad("tls.cert and tls.key go together");
  }
  for (const name of ABOVE_ZERO) {
    const value = options[name];
    if (value !== undefined && !(value > 0)) throw bad(`${name}: ${value} is not above 0`);
  }
  return {
    endpoints,
    tls,
    credentials: user === undefined ? undefined : { user, password: password ?? "" },
    dialTimeoutMs: options.dialTimeoutMs ?? DIAL_TIMEOUT_MS,
    keepAliveTimeMs: options.keepAliveTimeMs,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs,
    maxSendBytes: options.maxSendBytes,
    maxReceiveBytes: options.maxReceiveBytes,
  };
}

function bad(what: string): StrataError {
  return new StrataError("BAD_ARGUMENT", what);
}
