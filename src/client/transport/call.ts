/** One call on one connection: an HTTP/2 stream, with messages and a status in place of bytes and headers. */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { reasonOf } from "../../base/errors.ts";
import { GrpcStatus, RpcError } from "../status.ts";
import { type CallFailure, failureOfHead, failureOfReset, failureOfTrailers } from "./call-end.ts";
import type { Connection } from "./connection.ts";
import { MessageAssembler } from "./message-assembler.ts";

/** Who is told of what comes. */
export interface Listener {
  /** The server has begun to answer: it has done something about the call. */
  onHead?(): void;
  onMessage(message: Uint8Array): void;
  /** The connection has taken all that was written. */
  onDrain?(): void;
  /** Once, last. @param isRefused  the server has not even looked at the call */
  onEnd(failure: CallFailure, isRefused: boolean): void;
}

export class Call {
  readonly #connection: Connection;
  readonly #stream: ClientHttp2Stream;
  readonly #listener: Listener;
  readonly #maxReceiveBytes: number;
  #assembler: MessageAssembler | undefined;
  #trailers: IncomingHttpHeaders | undefined;
  #cause: unknown;
  #isOver = false;

  /** @throws Error of Node if the connection is not usable, or HTTP/2 knows no such headers */
  constructor(
    connection: Connection,
    headers: OutgoingHttpHeaders,
    maxReceiveBytes: number,
    listener: Listener,
  ) {
    this.#connection = connection;
    this.#listener = listener;
    this.#maxReceiveBytes = maxReceiveBytes;
    this.#stream = connection.request(headers);
    this.#stream.on("response", this.#onResponse);
    this.#stream.on("data", this.#onData);
    if (listener.onDrain !== undefined) this.#stream.on("drain", () => listener.onDrain?.());
    this.#stream.on("trailers", this.#onTrailers);
    this.#stream.on("end", this.#onEnd);
    this.#stream.on("close", this.#onClose);
    this.#stream.on("error", this.#onError);
  }

  /** @param bytes  framed. @returns whether more is welcome; if not, `onDrain` tells when it is */
  write(bytes: Uint8Array): boolean {
    return this.#isOver || !this.#stream.writable || this.#stream.write(bytes);
  }

  end(bytes?: Uint8Array): void {
    if (this.#isOver || !this.#stream.writable) return;
    if (bytes === undefined) this.#stream.end();
    else this.#stream.end(bytes);
  }

  /** No messages until `resume`; the server is told to wait when what is on its way has come. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Gives it up: nobody is told anything any more. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abandon();
  }

  readonly #onResponse = (head: IncomingHttpHeaders): void => {
    this.#listener.onHead?.();
    const failure = failureOfHead(head);
    if (failure !== undefined) {
      this.#finish(failure);
      return;
    }
    if (head["grpc-status"] !== undefined) this.#trailers = head;
    const encoding = String(head["grpc-encoding"] ?? "");
    this.#assembler = new MessageAssembler(this.#maxReceiveBytes, encoding);
  };

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#isOver) return;
    try {
      this.#assembler?.push(chunk, this.#onMessage);
    } catch (error) {
      this.#finish(error instanceof RpcError ? error : asRpcError(error));
    }
  };

  readonly #onMessage = (message: Uint8Array): void => {
    if (!this.#isOver) this.#listener.onMessage(message);
  };

  readonly #onTrailers = (trailers: IncomingHttpHeaders): void => {
    this.#trailers = trailers;
  };

  /** All of the body is there; the trailers are, if there are any. */
  readonly #onEnd = (): void => {
    if (this.#trailers !== undefined) this.#finish(failureOfTrailers(this.#trailers));
  };

  readonly #onError = (error: Error): void => {
    this.#cause = error;
  };

  readonly #onClose = (): void => {
    if (this.#isOver) return;
    const { rstCode } = this.#stream;
    const isRefused = this.#connection.refused(this.#stream);
    const lost = this.#connection.lostWith(this.#cause);
    if (this.#trailers !== undefined) this.#finish(failureOfTrailers(this.#trailers));
    else if (isRefused) this.#finish(failureOfReset(constants.NGHTTP2_REFUSED_STREAM, lost), true);
    else if (lost !== undefined) this.#finish(lost);
    else if (rstCode === constants.NGHTTP2_NO_ERROR) this.#finish(failureOfTrailers({}));
    else this.#finish(failureOfReset(rstCode, this.#cause));
  };

  #finish(failure: CallFailure, isRefused = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isCut = failure === undefined && this.#assembler?.isBetweenMessages === false;
    // A server may answer before it has heard everything: it is told that no more comes.
    if (!this.#stream.closed && !(this.#stream.writableEnded && this.#stream.readableEnded)) {
      this.#abandon();
    }
    this.#listener.onEnd(isCut ? CUT_SHORT() : failure, isRefused);
  }

  #abandon(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.destroy();
  }
}

const CUT_SHORT = (): RpcError => new RpcError(GrpcStatus.internal, "unexpected EOF");

function asRpcError(error: unknown): RpcError {
  return new RpcError(GrpcStatus.internal, reasonOf(error), { cause: error });
}
