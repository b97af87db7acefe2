/** Calls with messages in place of bytes. */
import {
  DecodeError,
  decode,
  encode,
  type MessageTable,
  type Method,
  type Partially,
} from "../proto/tables/message-table.ts";
import { GrpcStatus, RpcError } from "./status.ts";
import type { CallSettings, MessageStream, Transport } from "./transport/transport.ts";

export class Rpc {
  readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** @throws (rejects) as `Transport.unary` */
  async call<I, O>(
    method: Method<I, O>,
    request: Partially<I>,
    settings?: CallSettings,
  ): Promise<O> {
    const { path, input, output } = method;
    return decoded(output, await this.transport.unary(path, encode(input, request), settings));
  }

  open<I, O>(method: Method<I, O>, settings?: CallSettings): RpcStream<I, O> {
    return new RpcStream(method, this.transport.stream(method.path, settings));
  }
}

/** @see MessageStream */
export class RpcStream<I, O> implements AsyncIterable<O> {
  readonly #input: MessageTable<I>;
  readonly #output: MessageTable<O>;
  readonly #stream: MessageStream;

  constructor({ input, output }: Method<I, O>, stream: MessageStream) {
    this.#input = input;
    this.#output = output;
    this.#stream = stream;
  }

  send(request: Partially<I>): Promise<void> {
    return this.#stream.send(encode(this.#input, request));
  }

  end(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<O, void> {
    for await (const message of this.#stream) yield decoded(this.#output, message);
  }
}

/** @throws RpcError in gRPC's words for what is no such message: the other side may be none of etcd's */
function decoded<O>(table: MessageTable<O>, message: Uint8Array): O {
  try {
    return decode(table, message);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const what = `grpc: failed to unmarshal the received message: ${error.message}`;
    throw new RpcError(GrpcStatus.internal, what, { cause: error });
  }
}
