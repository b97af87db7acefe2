/** gRPC over `node:http2`: channels to servers, and what is done again when a call does not go well. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { EtcdError, reasonOf, StrataError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { AuthToken, isAboutToken } from "../auth-token.ts";
import {
  clientClosing,
  deadlineExceeded,
  GrpcStatus,
  noConnection,
  RpcError,
  tooLargeToSend,
} from "../status.ts";
import { Call, type Listener } from "./call.ts";
import { CallStream } from "./call-stream.ts";
import { Channel } from "./channel.ts";
import { Connection } from "./connection.ts";
import { parseEndpoint } from "./endpoint.ts";
import { KeepAlive } from "./keep-alive.ts";
import { framed } from "./message-assembler.ts";
import { Patience } from "./patience.ts";
import { requestHeaders } from "./request-headers.ts";
import { ATTEMPTS_MAX, isLearners, isRepeatable, isUnavailable, retryDelayMs } from "./retry.ts";
import { Tls } from "./tls.ts";
import type { CallSettings, MessageStream, Transport } from "./transport.ts";
import type { TransportOptions } from "./transport-options.ts";
import { type UnaryEnd, unaryCall } from "./unary-call.ts";

export type { Credentials, TlsOptions, TransportOptions } from "./transport-options.ts";

const SEND_BYTES_MAX = 2 * 1024 * 1024;
const RECEIVE_BYTES_MAX = 2 ** 31 - 1;

export class Http2Transport implements Transport {
  readonly #options: TransportOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #keepAlive: KeepAlive;
  readonly #maxSendBytes: number;
  readonly #maxReceiveBytes: number;
  #tls: Tls | undefined;
  /** To whichever of the endpoints. */
  readonly #any: Channel<Connection>;
  /** To one of them each. */
  readonly #pinned = new Map<string, Channel<Connection>>();
  readonly #token: AuthToken | undefined;
  /** Of all calls under way. */
  readonly #patiences = new Set<Patience>();
  #closed: RpcError | undefined;

  /** Connects to nobody yet. @throws StrataError BAD_ARGUMENT if there are no endpoints, or TLS options are not usable */
  constructor(options: TransportOptions) {
    const { endpoints, clock = systemClock, random = systemRandom, credentials } = options;
    if (endpoints.length === 0) {
      throw new StrataError("BAD_ARGUMENT", "etcdclient: no available endpoints");
    }
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#keepAlive = new KeepAlive({
      timeMs: options.keepAliveTimeMs,
      timeoutMs: options.keepAliveTimeoutMs,
    });
    this.#maxSendBytes = options.maxSendBytes ?? SEND_BYTES_MAX;
    this.#maxReceiveBytes = options.maxReceiveBytes ?? RECEIVE_BYTES_MAX;
    if (options.tls !== undefined) this.#tls = new Tls(options.tls);
    this.#any = this.#channelOf(endpoints.map((endpoint) => endpoint.trim()));
    if (credentials !== undefined) {
      this.#token = new AuthToken(credentials, (path, message, settings) =>
        this.#unary(path, message, settings, undefined),
      );
    }
  }

  async unary(path: string, message: Uint8Array, settings: CallSettings = {}): Promise<Uint8Array> {
    return this.#unary(path, message, settings, this.#token);
  }

  stream(path: string, settings: CallSettings = {}): MessageStream {
    const channel = this.#channel(settings.endpoint);
    const patience = this.#patience(settings, channel);
    let token: string | undefined;
    return new CallStream({
      open: async (listener) => {
        token = await this.#token?.young(patience);
        return this.#begin(path, settings, channel, patience, token, listener);
      },
      patience,
      maxSendBytes: this.#maxSendBytes,
      retryMs: (attempt) => retryDelayMs(attempt, channel.size, this.#random),
      errorOf: (failure) => {
        if (isAboutToken(failure)) this.#token?.refused(token);
        return ofOurDeadline(failure, settings);
      },
      onOver: () => this.#release(patience),
    });
  }

  /**
   * Fetches a token with the credentials, if there are any and there is none yet: to learn of wrong ones before the
   * first call. A server without authentication is fine.
   * @throws (rejects) as `unary`: EtcdError AUTH_FAILED, StrataError DEADLINE, …
   */
  async authenticate(limits: Pick<CallSettings, "timeoutMs" | "signal"> = {}): Promise<void> {
    const patience = this.#patience(limits, this.#any);
    try {
      patience.throwIfOver();
      await this.#token?.current(patience);
    } finally {
      this.#release(patience);
    }
  }

  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    const why = clientClosing();
    this.#closed = why;
    for (const patience of [...this.#patiences]) patience.end(why);
    for (const channel of [this.#any, ...this.#pinned.values()]) channel.close(why);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #unary(
    path: string,
    message: Uint8Array,
    settings: CallSettings,
    tokens: AuthToken | undefined,
  ): Promise<Uint8Array> {
    if (message.length > this.#maxSendBytes) {
      throw tooLargeToSend(message.length, this.#maxSendBytes);
    }
    const request = framed(message);
    const channel = this.#channel(settings.endpoint);
    const patience = this.#patience(settings, channel);
    const isIdempotent = settings.idempotent ?? isRepeatable(path);
    let isRenewed = false;
    try {
      for (let attempt = 1; ; attempt++) {
        patience.throwIfOver();
        const token = await tokens?.current(patience);
        const connection = channel.connected ?? (await this.#dialled(channel, patience));
        const end = await this.#send(connection, path, settings, patience, token, request);
        if ("answer" in end) return end.answer;
        const { failure, isRefused } = end;
        if (isAboutToken(failure) && tokens !== undefined && !isRenewed) {
          isRenewed = true;
          tokens.refused(token);
          continue;
        }
        const isBusy = isIdempotent && isUnavailable(failure);
        const isElsewhere = isLearners(failure) && channel.size > 1;
        const mayRetry =
          isRefused || isBusy || isElsewhere || (tokens === undefined && isOldRevision(failure));
        if (!mayRetry || attempt === ATTEMPTS_MAX) throw ofOurDeadline(failure, settings);
        if (isBusy || isElsewhere) channel.leave(connection);
        await patience.pause(retryDelayMs(attempt, channel.size, this.#random));
      }
    } finally {
      this.#release(patience);
    }
  }

  /** @throws (rejects) RpcError Unavailable with what was in the way, when `dialTimeoutMs` is over */
  async #dialled(channel: Channel<Connection>, patience: Patience): Promise<Connection> {
    const { dialTimeoutMs } = this.#options;
    if (dialTimeoutMs === undefined) return channel.connection(patience);
    const dialling = new Patience({ timeoutMs: dialTimeoutMs });
    patience.whenOver((why) => dialling.end(why));
    try {
      return await channel.connection(dialling);
    } catch (error) {
      patience.throwIfOver();
      if (!dialling.isOver) throw error;
      throw noConnection(channel.obstacle);
    } finally {
      patience.whenOver(undefined);
      dialling.release();
    }
  }

  async #send(
    connection: Connection,
    path: string,
    settings: CallSettings,
    patience: Patience,
    token: string | undefined,
    request: Uint8Array,
  ): Promise<UnaryEnd> {
    try {
      const headers = requestHeaders(connection, path, settings, patience, token);
      return await unaryCall(connection, headers, request, this.#maxReceiveBytes, patience);
    } catch (error) {
      patience.throwIfOver();
      return { failure: asRpcError(error), isRefused: !connection.isUsable };
    }
  }

  /** A call whose messages come and go one by one. */
  async #begin(
    path: string,
    settings: CallSettings,
    channel: Channel<Connection>,
    patience: Patience,
    token: string | undefined,
    listener: Listener,
  ): Promise<Call> {
    for (;;) {
      patience.throwIfOver();
      const connection = await channel.connection(patience);
      try {
        const headers = requestHeaders(connection, path, settings, patience, token);
        return new Call(connection, headers, this.#maxReceiveBytes, listener);
      } catch (error) {
        if (connection.isUsable) throw asRpcError(error);
      }
    }
  }

  #patience({ timeoutMs, signal }: CallSettings, channel: Channel<Connection>): Patience {
    const causeOf = (): unknown => channel.obstacle ?? this.#any.obstacle;
    const patience = new Patience({ timeoutMs, signal, causeOf });
    if (this.#closed !== undefined) patience.end(this.#closed);
    this.#patiences.add(patience);
    return patience;
  }

  #release(patience: Patience): void {
    patience.release();
    this.#patiences.delete(patience);
  }

  #channel(endpoint: string | undefined): Channel<Connection> {
    if (endpoint === undefined) return this.#any;
    let channel = this.#pinned.get(endpoint);
    if (channel === undefined) {
      channel = this.#channelOf([endpoint]);
      this.#pinned.set(endpoint, channel);
    }
    return channel;
  }

  #channelOf(endpoints: readonly string[]): Channel<Connection> {
    const clock = this.#clock;
    return new Channel({
      endpoints,
      clock,
      random: this.#random,
      connect: async (text, signal) => {
        const endpoint = parseEndpoint(text, this.#options.tls !== undefined);
        const keepAlive = this.#keepAlive;
        return Connection.open({ endpoint, tls: this.#tlsOf, keepAlive, clock }, signal);
      },
    });
  }

  readonly #tlsOf = (): Tls => {
    this.#tls ??= new Tls({});
    return this.#tls;
  };
}

/** The server keeps an eye on our deadline, too, and may see it pass a moment before us. */
function ofOurDeadline(failure: Error, { timeoutMs }: CallSettings): Error {
  const isDeadline =
    failure instanceof RpcError &&
    failure.grpcStatus === GrpcStatus.deadlineExceeded &&
    failure.details === "context deadline exceeded";
  return isDeadline && timeoutMs !== undefined ? deadlineExceeded({ cause: failure }) : failure;
}

/** Who is known by a certificate has no token to renew: the call is simply made again. */
function isOldRevision(failure: Error): boolean {
  return failure instanceof EtcdError && failure.code === "AUTH_OLD_REVISION";
}

function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(GrpcStatus.internal, reasonOf(error), { cause: error });
}
