/** Calls with messages in place of bytes. */
import {
  decode,
  encode,
  type MessageTable,
  type Method,
  type Partially,
} from "../proto/tables/message-table.ts";
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
    return decode(output, await this.transport.unary(path, encode(input, request), settings));
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
    for await (const message of this.#stream) yield decode(this.#output, message);
  }
}
