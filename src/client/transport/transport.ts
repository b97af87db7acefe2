/** Messages to and from a server: what the calls of a client are made of. */

export interface CallSettings {
  /** Gives the call up. It rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** From now to the answer, waiting for a connection included; none: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  /** Sent with it. Names in lower case. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** To this one, as it is given, and no other. */
  readonly endpoint?: string | undefined;
  /**
   * Whether a unary call may be sent once more when nobody knows if the server did it, or the server was unavailable.
   * Default: as etcd's clients do, by the method: what reads, yes; what writes, no.
   */
  readonly idempotent?: boolean | undefined;
}

export interface Transport extends AsyncDisposable {
  /**
   * One message there, one back. Waits for a connection if there is none yet.
   * @throws (rejects) EtcdError, RpcError; StrataError DEADLINE, whose `cause` is why there was no connection; the
   *   signal's reason
   */
  unary(path: string, message: Uint8Array, settings?: CallSettings): Promise<Uint8Array>;

  /** Messages there and back, as either side likes. What is sent before there is a connection waits for it. */
  stream(path: string, settings?: CallSettings): MessageStream;

  /** Ends what is under way: it throws RpcError Canceled. */
  close(): Promise<void>;
}

/**
 * To be iterated once: it ends when the server ends it well, and throws what `unary` rejects with when not. Whoever
 * iterates slowly is waited for (flow control); `break` cancels the call.
 */
export interface MessageStream extends AsyncIterable<Uint8Array> {
  /** Resolves when more may be sent without piling up, or the call is over: the iteration tells how. */
  send(message: Uint8Array): Promise<void>;
  /** Says that nothing more is sent. */
  end(): void;
  /** Gives the call up; the iteration ends. */
  cancel(): void;
}
