/**
 * A gRPC client that is none of ours: @grpc/grpc-js, on node:http2, with the generated messages. It hides nothing:
 * each answer as it came, each error with its code and text.
 */
import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { cleanUpAtEnd } from "./cleanup.ts";

/** How a call ended that did not end well. */
export class WireError extends Error {
  override readonly name: string = "WireError";
  readonly code: number;
  readonly trailers: Metadata;

  constructor({ code, details, metadata }: ServiceError) {
    super(details);
    this.code = code;
    this.trailers = metadata;
  }
}

export interface WireOptions {
  readonly credentials?: ChannelCredentials;
  readonly channel?: ChannelOptions;
}

export interface CallSettings {
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly waitForReady?: boolean;
}

/** Sizes are the server's to refuse, and what broke is to be seen at once. */
const CHANNEL: ChannelOptions = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 200,
  "grpc.enable_retries": 0,
};

/** One connection, by its endpoint `127.0.0.1:12345`. */
export class WireClient {
  readonly #client: Client;
  readonly #forget: () => void;

  constructor(endpoint: string, options: WireOptions = {}) {
    this.#client = new Client(endpoint, options.credentials ?? credentials.createInsecure(), {
      ...CHANNEL,
      ...options.channel,
    });
    this.#forget = cleanUpAtEnd(() => this.#client.close());
  }

  /** @throws (rejects) WireError */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    settings: CallSettings = {},
  ): Promise<MessageShape<O>> {
    const bytes = await this.raw(pathOf(method), encoded(method.input, request), settings);
    return fromBinary(method.output, bytes);
  }

  /** Any path, any bytes. @throws (rejects) WireError */
  raw(path: string, message: Uint8Array, settings: CallSettings = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from(message),
        metadataOf(settings),
        optionsOf(settings),
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(error === null ? new Error("no answer") : new WireError(error));
        },
      );
    });
  }

  /** Both sides speak as they like. */
  open<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    settings: CallSettings = {},
  ): WireStream<I, O> {
    const stream = this.#client.makeBidiStreamRequest(
      pathOf(method),
      (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      metadataOf(settings),
      optionsOf(settings),
    );
    return new WireStream(method.input, stream);
  }

  /** The server alone speaks. */
  subscribe<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    settings: CallSettings = {},
  ): WireStream<I, O> {
    const stream = this.#client.makeServerStreamRequest(
      pathOf(method),
      (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, request),
      metadataOf(settings),
      optionsOf(settings),
    );
    return new WireStream(method.input, stream);
  }

  /** @throws (rejects) Error if it is not connected in time */
  connected(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  close(): void {
    this.#forget();
  }
}

type Streams<I extends DescMessage, O extends DescMessage> =
  | ClientDuplexStream<MessageShape<I>, MessageShape<O>>
  | ClientReadableStream<MessageShape<O>>;

/** A stream whose answers wait here until they are asked for. */
export class WireStream<I extends DescMessage, O extends DescMessage> {
  readonly #input: I;
  readonly #stream: Streams<I, O>;
  readonly #answers: MessageShape<O>[] = [];
  #wake: (() => void) | undefined;
  /** How it ended: an error, or null if all was well; undefined while it goes on. */
  end: WireError | null | undefined;

  constructor(input: I, stream: Streams<I, O>) {
    this.#input = input;
    this.#stream = stream;
    stream.on("data", (answer: MessageShape<O>) => {
      this.#answers.push(answer);
      this.#wake?.();
    });
    stream.on("error", (error: ServiceError) => this.#ended(new WireError(error)));
    stream.on("end", () => {
      // An error comes after it, if one does.
      setImmediate(() => this.#ended(null));
    });
  }

  send(request: MessageInitShape<I>): void {
    if ("write" in this.#stream) this.#stream.write(create(this.#input, request));
  }

  /** Says that nothing follows. */
  close(): void {
    if ("write" in this.#stream) this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  /** No answer is taken off the wire until `resume`. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Answers that wait. */
  get waiting(): number {
    return this.#answers.length;
  }

  /** The next answer; undefined if none comes within `waitMs`, or the stream has ended. */
  async next(waitMs = 10_000): Promise<MessageShape<O> | undefined> {
    if (this.#answers.length === 0 && this.end === undefined) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#wake = undefined;
          resolve();
        };
        const timer = setTimeout(done, waitMs);
        this.#wake = done;
      });
    }
    return this.#answers.shift();
  }

  /** The next answer. @throws Error, or the stream's own, if none comes */
  async must(waitMs?: number): Promise<MessageShape<O>> {
    const answer = await this.next(waitMs);
    if (answer === undefined) throw this.end ?? new Error("no answer came");
    return answer;
  }

  #ended(how: WireError | null): void {
    this.end ??= how;
    this.#wake?.();
  }
}

/** `/etcdserverpb.KV/Put` */
export function pathOf(method: {
  readonly parent: { readonly typeName: string };
  readonly name: string;
}): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function encoded<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Uint8Array {
  return toBinary(schema, create(schema, message));
}

function metadataOf({ metadata = {} }: CallSettings): Metadata {
  const made = new Metadata();
  for (const [name, value] of Object.entries(metadata)) made.set(name, value);
  return made;
}

function optionsOf({ deadlineMs, waitForReady }: CallSettings): CallOptions {
  return {
    ...(deadlineMs !== undefined && { deadline: Date.now() + deadlineMs }),
    ...(waitForReady !== undefined && { waitForReady }),
  };
}
