/** gRPC over `node:http2`. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { systemClock } from "../../base/clock.ts";
import { deadlineExceeded, errorOfStatus, GrpcStatus, RpcError } from "../status.ts";
import type { CallSettings, MessageStream, Transport } from "./transport.ts";
import type { TransportOptions } from "./transport-options.ts";

export type { Credentials, TlsOptions, TransportOptions } from "./transport-options.ts";

const RETRY_MS = 100;
const PREFIX_BYTES = 5;

export class Http2Transport implements Transport {
  readonly #options: TransportOptions;
  readonly #sessions = new Map<string, ClientHttp2Session>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async unary(path: string, message: Uint8Array, settings: CallSettings = {}): Promise<Uint8Array> {
    const max = this.#options.maxSendBytes ?? 2 * 1024 * 1024;
    if (message.length > max) {
      const what = `trying to send message larger than max (${message.length} vs. ${max})`;
      throw new RpcError(GrpcStatus.resourceExhausted, what);
    }
    const call = this.stream(path, settings);
    await call.send(message);
    call.end();
    let answer: Uint8Array | undefined;
    for await (const one of call) answer ??= one;
    if (answer === undefined) throw new RpcError(GrpcStatus.internal, "no answer");
    return answer;
  }

  stream(path: string, settings: CallSettings = {}): MessageStream {
    const opened = this.#open(path, settings);
    opened.catch(() => undefined); // Whoever sends or iterates is told.
    return {
      send: async (message) => {
        const stream = await opened;
        const head = Buffer.alloc(PREFIX_BYTES);
        head.writeUInt32BE(message.length, 1);
        await new Promise<void>((resolve) => {
          stream.write(Buffer.concat([head, message]), () => resolve());
        });
      },
      end: () => {
        opened.then((stream) => stream.end()).catch(() => undefined);
      },
      cancel: () => {
        opened.then((stream) => stream.close(constants.NGHTTP2_CANCEL)).catch(() => undefined);
      },
      [Symbol.asyncIterator]: () => messagesOf(opened, settings),
    };
  }

  /**
   * Fetches a token with the credentials, if there are any and there is none yet: to learn of wrong ones before the
   * first call. A server without authentication is fine.
   * @throws (rejects) as `unary`: EtcdError AUTH_FAILED, StrataError DEADLINE, …
   */
  async authenticate(_limits: Pick<CallSettings, "timeoutMs" | "signal"> = {}): Promise<void> {}

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(path: string, settings: CallSettings): Promise<ClientHttp2Stream> {
    const endpoint = settings.endpoint ?? this.#options.endpoints[0] ?? "";
    const session = await this.#session(endpoint, settings);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...settings.metadata,
    });
    settings.signal?.addEventListener("abort", () => stream.close(constants.NGHTTP2_CANCEL));
    return stream;
  }

  async #session(endpoint: string, settings: CallSettings): Promise<ClientHttp2Session> {
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = settings;
    const startMs = performance.now();
    for (;;) {
      signal?.throwIfAborted();
      const known = this.#sessions.get(endpoint);
      if (known !== undefined && !known.closed && !known.destroyed) return known;
      const session = await this.#connect(endpoint).catch(() => undefined);
      if (session !== undefined) {
        this.#sessions.set(endpoint, session);
        return session;
      }
      if (performance.now() - startMs > timeoutMs) throw deadlineExceeded();
      await systemClock.sleep(RETRY_MS, signal ?? new AbortController().signal);
    }
  }

  #connect(endpoint: string): Promise<ClientHttp2Session> {
    const { tls } = this.#options;
    const bare = endpoint.replace(/^https?:\/\//, "");
    const secure =
      endpoint.startsWith("https://") || (tls !== undefined && !endpoint.startsWith("http://"));
    return new Promise((resolve, reject) => {
      const session = connect(
        `${secure ? "https" : "http"}://${bare.replace(/^:/, "localhost:")}`,
        {
          ...(tls?.ca !== undefined && { ca: Buffer.from(tls.ca) }),
          ...(tls?.cert !== undefined && { cert: Buffer.from(tls.cert) }),
          ...(tls?.key !== undefined && { key: Buffer.from(tls.key) }),
          rejectUnauthorized: tls?.insecureSkipVerify !== true,
        },
      );
      session.once("connect", () => resolve(session));
      session.on("error", reject);
    });
  }
}

async function* messagesOf(
  opened: Promise<ClientHttp2Stream>,
  { timeoutMs }: CallSettings,
): AsyncGenerator<Uint8Array, void> {
  const stream = await opened;
  let late = false;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          stream.close(constants.NGHTTP2_CANCEL);
        }, timeoutMs);
  let trailers: IncomingHttpHeaders = {};
  stream.on("response", (headers) => {
    if ("grpc-status" in headers) trailers = headers;
  });
  stream.on("trailers", (headers) => {
    trailers = headers;
  });
  let left: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of stream) {
      left = Buffer.concat([left, chunk as Buffer]);
      while (left.length >= PREFIX_BYTES) {
        const end = PREFIX_BYTES + left.readUInt32BE(1);
        if (left.length < end) break;
        yield left.subarray(PREFIX_BYTES, end);
        left = left.subarray(end);
      }
    }
  } finally {
    clearTimeout(timer);
    stream.close(constants.NGHTTP2_CANCEL);
  }
  if (late) throw deadlineExceeded();
  const status = Number(trailers["grpc-status"] ?? GrpcStatus.unavailable);
  if (status === GrpcStatus.ok) return;
  throw errorOfStatus(status, decodeURIComponent(String(trailers["grpc-message"] ?? "")));
}
