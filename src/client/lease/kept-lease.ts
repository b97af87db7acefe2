/** One lease that is kept alive, as whoever wants that has it. */
import type { LeaseKeepAliveResponse } from "../../proto/tables/lease.ts";

/**
 * May be iterated, once, for the answers; nobody has to. It ends when the lease is lost, when it is no longer to be
 * kept, and when the consumer breaks out, which gives it up.
 */
export interface KeptLease extends AsyncIterableIterator<LeaseKeepAliveResponse, undefined> {
  readonly id: bigint;
  /**
   * Aborts when the lease is gone, or may be: the server says so (reason: EtcdError LEASE_NOT_FOUND), or has not
   * answered for as long as the lease lives (StrataError DEADLINE, with what went wrong last as its cause).
   */
  readonly lost: AbortSignal;
  /** No longer to be kept: it lives on as long as it was promised. */
  release(): void;
}

type Result = IteratorResult<LeaseKeepAliveResponse, undefined>;
const DONE: Result = { done: true, value: undefined };

/** Answers that wait for a consumer; if there are more, the new ones are dropped. As etcd's client. */
const WAITING_MAX = 16;

export class ClientKeptLease implements KeptLease {
  readonly id: bigint;
  onEnd: () => void = () => undefined;
  readonly #release: (lease: ClientKeptLease) => void;
  readonly #lost = new AbortController();
  #waiting: LeaseKeepAliveResponse[] = [];
  #ended = false;
  #wakes: (() => void)[] = [];

  constructor(id: bigint, release: (lease: ClientKeptLease) => void) {
    this.id = id;
    this.#release = release;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get ended(): boolean {
    return this.#ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
    const value = this.#waiting.shift();
    return value === undefined ? DONE : { done: false, value };
  }

  return(): Promise<Result> {
    this.release();
    return Promise.resolve(DONE);
  }

  release(): void {
    this.#waiting = [];
    if (this.#ended) return;
    this.end();
    this.#release(this);
  }

  take(response: LeaseKeepAliveResponse): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(response);
    this.#wake();
  }

  lose(reason: Error): void {
    this.#lost.abort(reason);
    this.end();
  }

  end(): void {
    this.#ended = true;
    this.onEnd();
    this.#wake();
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }
}
