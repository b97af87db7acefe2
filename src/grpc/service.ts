/**
 * What a service is made of. Messages are bytes here: who decodes them how is the service's affair, so that the hot
 * ones can be decoded in place by hand.
 */
import type { Peer } from "../http2/exchange.ts";

/** One call. After it has ended every call on it is ignored. */
export interface Call {
  /** `/etcdserverpb.KV/Put` */
  readonly path: string;
  readonly peer: Peer;
  /** On the clock of `performance.now()`; undefined: there is none. When it has passed, the call fails by itself. */
  readonly deadlineMs: number | undefined;
  /** Aborted when the call has ended before it was answered: cancelled, past its deadline, connection gone. Made when it is asked for. */
  readonly signal: AbortSignal;
  /** Answered, failed, cancelled. */
  readonly ended: boolean;
  /** The first value of a request header, undefined if there is none. @param name  in lower case. */
  metadata(name: string): string | undefined;
  /** Ends the call with a status other than OK. */
  fail(code: number, message: string): void;
  /** Ends the call with what the error stands for: see GrpcServerOptions.statusOf. */
  failWith(error: unknown): void;
}

/** @param parts  the response message, in pieces: copied or sent before a call returns, but for pieces of more than 16 KiB, which must not change any more */
export interface UnaryCall extends Call {
  reply(...parts: readonly Uint8Array[]): void;
}

export interface StreamCall extends Call {
  /** @returns false: the peer reads too slowly; no more, please, until `drained`. */
  send(...parts: readonly Uint8Array[]): boolean;
  /** Of responses, not yet taken by the socket. */
  readonly bufferedBytes: number;
  /** Resolves when there is room again, or the call has ended. */
  drained(): Promise<void>;
  /**
   * Resolves when the system has all that was sent, or the call has ended: then memory that large pieces were sent from
   * may be used again. One at a time.
   */
  written(): Promise<void>;
  /** The stream of responses is over, and all was well. */
  end(): void;
  /** No more requests are read from the peer, beyond what its window allows, until `resume`. */
  pause(): void;
  resume(): void;
}

/** Takes the requests of a stream, one message each, as a range of bytes that is its to keep, not to change. */
export interface MessageListener {
  message(bytes: Uint8Array, start: number, end: number): void;
  /** The client sends no more. */
  halfClosed(): void;
  /** The call has ended, in whatever way; nothing follows. */
  closed(): void;
  /** After `send` returned false: there is room again. */
  drained(): void;
}

/**
 * A handler may throw, and one that returns a promise may reject: that is `failWith`. The bytes of a request are its to
 * keep, not to change.
 */
export type Method =
  | {
      readonly kind: "unary";
      readonly handle: (
        call: UnaryCall,
        bytes: Uint8Array,
        start: number,
        end: number,
      ) => void | Promise<void>;
    }
  | {
      readonly kind: "serverStream";
      readonly handle: (
        call: StreamCall,
        bytes: Uint8Array,
        start: number,
        end: number,
      ) => void | Promise<void>;
    }
  | { readonly kind: "bidiStream"; readonly open: (call: StreamCall) => MessageListener };

export interface Service {
  /** `etcdserverpb.KV` */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}
