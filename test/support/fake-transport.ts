/** A server in the test's own hands: it records what is asked, and answers what it was told. */

import type { ClientTransport } from "../../src/cli/session.ts";
import { RpcError } from "../../src/client/status.ts";
import type { CallSettings, MessageStream } from "../../src/client/transport/transport.ts";
import type { TransportOptions } from "../../src/client/transport/transport-options.ts";
import type { Program } from "../../src/console/command.ts";
import {
  decode,
  encode,
  type Method,
  type Partially,
} from "../../src/proto/tables/message-table.ts";
import { MemoryIo } from "./memory-io.ts";

const UNIMPLEMENTED = 12;

export interface Recorded {
  /** `/etcdserverpb.KV/Put` */
  readonly path: string;
  /** Decoded, if somebody answers; else its bytes. */
  readonly request: unknown;
  readonly settings: CallSettings;
}

type Answer<T> = Partially<T> | Error;
type Answering<I, O> = (request: I, settings: CallSettings) => Answer<O> | Promise<Answer<O>>;
type UnaryHandler = (message: Uint8Array, settings: CallSettings) => Promise<Uint8Array>;
type StreamHandler = (
  requests: AsyncIterable<Uint8Array>,
  settings: CallSettings,
) => AsyncIterable<Uint8Array>;

export class FakeTransport implements ClientTransport {
  /** In their order; a stream is recorded with each message that is sent on it. */
  readonly calls: Recorded[] = [];
  /** What the client was made with. */
  options: TransportOptions | undefined;
  closed = false;
  /** Where somebody came with credentials, and how long they would wait. */
  readonly authenticated: (number | undefined)[] = [];
  /** What becomes of credentials; undefined: they are taken. */
  refusal: Error | undefined;
  readonly #unary = new Map<string, UnaryHandler>();
  readonly #streams = new Map<string, StreamHandler>();

  /** What was asked, `plain`. */
  get requests(): unknown[] {
    return this.calls.map(({ request }) => plain(request));
  }

  /** What `method` answers from now on, or throws. */
  on<I, O>(method: Method<I, O>, answer: Answer<O> | Answering<I, O>): this {
    const { path, input, output } = method;
    this.#unary.set(path, async (message, settings) => {
      const request = decode(input, message);
      this.calls.push({ path, request, settings });
      const made =
        typeof answer === "function"
          ? await (answer as Answering<I, O>)(request, settings)
          : answer;
      if (made instanceof Error) throw made;
      return encode(output, made as Partially<O>);
    });
    return this;
  }

  /** A generator that is handed what the client sends, until it ends or cancels. */
  onStream<I, O>(
    method: Method<I, O>,
    serve: (requests: AsyncIterable<I>, settings: CallSettings) => AsyncIterable<Partially<O>>,
  ): this {
    const { path, input, output } = method;
    const { calls } = this;
    this.#streams.set(path, async function* (messages, settings) {
      const requests = async function* (): AsyncGenerator<I, void> {
        for await (const message of messages) {
          const request = decode(input, message);
          calls.push({ path, request, settings });
          yield request;
        }
      };
      for await (const response of serve(requests(), settings)) yield encode(output, response);
    });
    return this;
  }

  async authenticate({ timeoutMs }: Pick<CallSettings, "timeoutMs">): Promise<void> {
    if (this.options?.credentials === undefined) return;
    this.authenticated.push(timeoutMs);
    if (this.refusal !== undefined) throw this.refusal;
  }

  async unary(path: string, message: Uint8Array, settings: CallSettings = {}): Promise<Uint8Array> {
    const handler = this.#unary.get(path);
    if (handler !== undefined) return await handler(message, settings);
    this.calls.push({ path, request: message, settings });
    throw new RpcError(UNIMPLEMENTED, `nobody answers ${path}`);
  }

  stream(path: string, settings: CallSettings = {}): MessageStream {
    const handler = this.#streams.get(path);
    if (handler === undefined) throw new RpcError(UNIMPLEMENTED, `nobody serves ${path}`);
    return new FakeStream(handler, settings);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

class FakeStream implements MessageStream {
  readonly #sent: Uint8Array[] = [];
  readonly #answers: AsyncIterator<Uint8Array>;
  #ended = false;
  #wake: () => void = () => undefined;
  readonly #cancelled: Promise<IteratorResult<Uint8Array>>;
  #cancel: (reason?: unknown) => void = () => undefined;

  constructor(serve: StreamHandler, settings: CallSettings) {
    this.#answers = serve(this.#requests(), settings)[Symbol.asyncIterator]();
    const { signal } = settings;
    this.#cancelled = new Promise((resolve, reject) => {
      this.#cancel = () => resolve({ done: true, value: undefined });
      const abort = (): void => {
        this.end();
        reject(signal?.reason);
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
    this.#cancelled.catch(() => undefined);
  }

  async send(message: Uint8Array): Promise<void> {
    this.#sent.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  cancel(): void {
    this.end();
    this.#cancel();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => Promise.race([this.#cancelled, this.#answers.next()]),
      return: async () => {
        this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  async *#requests(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const next = this.#sent.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** A message with its bytes as latin1 text, and without what is zero: to be compared at a glance. */
export function plain(message: unknown): unknown {
  if (message instanceof Uint8Array) return Buffer.from(message).toString("latin1");
  if (Array.isArray(message)) return message.map(plain);
  if (typeof message !== "object" || message === null) return message;
  const shown = Object.entries(message).map(([name, value]) => [name, plain(value)] as const);
  const isZero = (value: unknown): boolean =>
    !value || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(shown.filter(([, value]) => !isZero(value)));
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly io: MemoryIo;
}

export interface RunOptions {
  readonly stdoutIsTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  /** Handed its surroundings before it begins: to send signals later, say. */
  readonly began?: (io: MemoryIo) => void;
}

/** Runs `etcdctl` in this process against a fake server. */
export async function etcdctl(
  transport: FakeTransport,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { ETCDCTL } = await import("../../src/cli/etcdctl.ts");
  return await ranAgainst(transport, ETCDCTL, args, options);
}

/** Runs `strata` so. */
export async function strata(
  transport: FakeTransport,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { STRATA } = await import("../../src/cli/strata.ts");
  return await ranAgainst(transport, STRATA, args, options);
}

async function ranAgainst(
  transport: FakeTransport,
  program: Program,
  args: readonly string[],
  options: RunOptions,
): Promise<Ran> {
  const [{ main }, { connectWith }] = await Promise.all([
    import("../../src/console/main.ts"),
    import("../../src/cli/session.ts"),
  ]);
  const io = new MemoryIo(options);
  connectWith(io, (made) => {
    transport.options = made;
    return transport;
  });
  options.began?.(io);
  const code = await main(program, args, io);
  return { code, out: io.stdout.text, err: io.stderr.text, io };
}
