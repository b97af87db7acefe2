/** One watch as its consumer has it, and what it must know to be made again on another stream. */
import type { ResponseHeader } from "../../proto/tables/header.ts";
import type { Partially } from "../../proto/tables/message-table.ts";
import type { WatchCreateRequest, WatchResponse } from "../../proto/tables/watch.ts";
import { ResponseJoiner, responseBytes, revisionOf } from "./response-joiner.ts";

/** The server numbers the watches. */
export type WatchAsk = Omit<Partially<WatchCreateRequest>, "watchId">;

/**
 * To be iterated once. The last response is `canceled` if the server ended the watch (`watchError` says why). It ends
 * without one when its signal aborts, when the watches are closed, and when the consumer breaks out; and it throws if
 * the server refuses the stream.
 */
export interface Watch extends AsyncIterableIterator<WatchResponse, undefined> {
  /**
   * The header of the answer that the watch is made: what happens after its revision is seen, if no start revision was
   * asked for. Undefined if the watch ended before it was made.
   */
  readonly created: Promise<ResponseHeader | undefined>;
  /** Gives it up. What was not taken is dropped. */
  cancel(): void;
}

/** What the watch asks of whoever keeps the stream. */
export interface WatchKeeper {
  /** The consumer has ended it. */
  drop(watch: ClientWatch): void;
  /** Has caught up: it may be made again. */
  resume(watch: ClientWatch): void;
}

type Result = IteratorResult<WatchResponse, undefined>;
const DONE: Result = { done: true, value: undefined };

export class ClientWatch implements Watch {
  readonly created: Promise<ResponseHeader | undefined>;
  /** On the present stream; undefined while it is not made there. */
  id: bigint | undefined;
  /** So much waits that the server was told to stop. */
  paused = false;
  ended = false;
  onEnd: () => void = () => undefined;
  readonly #ask: WatchAsk;
  readonly #keeper: WatchKeeper;
  readonly #bufferBytesMax: number;
  readonly #joiner: ResponseJoiner;
  #resolveCreated: (header: ResponseHeader | undefined) => void = () => undefined;
  /** What the consumer has not seen, or will see of what waits here. 0n: not known before it is made. */
  #nextRevision: bigint;
  #waiting: WatchResponse[] = [];
  #waitingBytes = 0;
  #failure: unknown;
  #hasFailed = false;
  #wakes: (() => void)[] = [];

  constructor(ask: WatchAsk, keeper: WatchKeeper, bufferBytesMax: number) {
    this.#ask = ask;
    this.#keeper = keeper;
    this.#bufferBytesMax = bufferBytesMax;
    this.#joiner = new ResponseJoiner(bufferBytesMax);
    this.#nextRevision = ask.startRevision ?? 0n;
    this.created = new Promise((resolve) => {
      this.#resolveCreated = resolve;
    });
  }

  /** To make it from where it has come to. */
  get request(): WatchAsk {
    return { ...this.#ask, startRevision: this.#nextRevision };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    while (this.#waiting.length === 0 && !this.ended) {
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
    const response = this.#waiting.shift();
    if (response !== undefined) {
      this.#waitingBytes -= responseBytes(response);
      if (this.paused && this.#waitingBytes <= this.#bufferBytesMax / 2) this.#keeper.resume(this);
      return { done: false, value: response };
    }
    if (!this.#hasFailed) return DONE;
    this.#hasFailed = false;
    throw this.#failure;
  }

  return(): Promise<Result> {
    this.cancel();
    return Promise.resolve(DONE);
  }

  cancel(): void {
    this.#waiting = [];
    this.#hasFailed = false;
    if (this.ended) return;
    this.end();
    this.#keeper.drop(this);
  }

  /** The server has made it. A first one without a start revision is bound to this revision: what follows is its. */
  made(id: bigint, header: ResponseHeader | undefined): void {
    this.id = id;
    if (this.#nextRevision === 0n && header !== undefined) {
      this.#nextRevision = header.revision + 1n;
    }
    this.#resolveCreated(header);
  }

  /** The stream it was on is gone, or was told to stop it. */
  unmade(): void {
    this.id = undefined;
    this.#joiner.reset();
  }

  /** @returns whether so much waits now that no more should come */
  take(response: WatchResponse): boolean {
    const whole = this.#joiner.add(response);
    if (whole === undefined) return false;
    const last = whole.events.at(-1);
    const seen = last === undefined ? (whole.header?.revision ?? 0n) : revisionOf(last);
    if (seen >= this.#nextRevision) this.#nextRevision = seen + 1n;
    return this.#push(whole);
  }

  /**
   * An answer to everybody. It may be ahead of events that are still to come, so it does not move this watch on.
   * @returns as `take`
   */
  takeProgress(response: WatchResponse): boolean {
    return this.#push(response);
  }

  /** The last of it. */
  endWith(response: WatchResponse): void {
    this.#push(response);
    this.end();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#hasFailed = true;
    this.end();
  }

  /** What waits may still be taken. */
  end(): void {
    this.ended = true;
    this.onEnd();
    this.#resolveCreated(undefined);
    this.#wake();
  }

  #push(response: WatchResponse): boolean {
    this.#waiting.push(response);
    this.#waitingBytes += responseBytes(response);
    this.#wake();
    return this.#waitingBytes > this.#bufferBytesMax;
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }
}
