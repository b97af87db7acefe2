/** What every call of a client goes through: its end, its deadline, and errors that say what they are. */
import type { CallOptions } from "../api/responses.ts";
import { StrataError } from "../base/errors.ts";
import type { Method, Partially } from "../proto/tables/message-table.ts";
import type { Rpc, RpcStream } from "./rpc.ts";
import type { CallSettings } from "./transport/transport.ts";

/** What every call of a client takes. */
export interface RemoteOptions extends CallOptions {
  /** From now to the answer, waiting for a connection included. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** To one server, and not to whichever is reached. */
export interface EndpointOptions extends RemoteOptions {
  /** Default: any of the client's. */
  readonly endpoint?: string | undefined;
}

/** For streams that are kept open: a server that is cut off from its cluster ends them, so that another one is looked for. */
export const LONG_LIVED: CallSettings = { metadata: { hasleader: "true" } };

export class Calls {
  readonly rpc: Rpc;
  readonly #timeoutMs: number | undefined;
  readonly #closed = new AbortController();

  /** @param timeoutMs  of calls that say nothing of it; undefined: as long as it takes */
  constructor(rpc: Rpc, timeoutMs: number | undefined) {
    this.rpc = rpc;
    this.#timeoutMs = timeoutMs;
  }

  /** Aborts when the client is closed, with CLOSED as its reason. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** @throws StrataError CLOSED */
  assertOpen(): void {
    this.#closed.signal.throwIfAborted();
  }

  /** For a call that has one answer. @throws StrataError CLOSED; the signal's reason */
  settings(options: EndpointOptions): CallSettings {
    const { signal, timeoutMs = this.#timeoutMs, endpoint } = options;
    this.assertOpen();
    signal?.throwIfAborted();
    return { signal, timeoutMs, endpoint };
  }

  /** @throws (rejects) as `Transport.unary`; StrataError CLOSED */
  async unary(path: string, message: Uint8Array, options: EndpointOptions): Promise<Uint8Array> {
    const settings = this.settings(options);
    return this.truly(this.rpc.transport.unary(path, message, settings));
  }

  /** @throws (rejects) as `unary` */
  async call<I, O>(
    method: Method<I, O>,
    request: Partially<I>,
    options: EndpointOptions,
  ): Promise<O> {
    const settings = this.settings(options);
    return this.truly(this.rpc.call(method, request, settings));
  }

  /** A call of many answers: it has no deadline but its own. @throws StrataError CLOSED; the signal's reason */
  open<I, O>(method: Method<I, O>, settings: CallSettings): RpcStream<I, O> {
    this.assertOpen();
    settings.signal?.throwIfAborted();
    return this.rpc.open(method, settings);
  }

  /** What fails because the client is closed says so, whatever became of its connection. */
  async truly<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.assertOpen();
      throw error;
    }
  }

  /** From here on, every call rejects with CLOSED. */
  end(): void {
    this.#closed.abort(new StrataError("CLOSED", "the client is closed"));
  }
}
