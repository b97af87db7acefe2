/** A call of many messages, from the caller's side. */
import { tooLargeToSend } from "../status.ts";
import type { Call, Listener } from "./call.ts";
import { framed } from "./message-assembler.ts";
import type { Patience } from "./patience.ts";
import { ATTEMPTS_MAX } from "./retry.ts";
import type { MessageStream } from "./transport.ts";

export interface CallStreamOptions {
  /** @throws (rejects) what ends the patience, or why there will never be a call */
  readonly open: (listener: Listener) => Promise<Call>;
  readonly patience: Patience;
  readonly maxSendBytes: number;
  /** Before the second attempt, and so on. */
  readonly retryMs: (attempt: number) => number;
  /** What the caller is told in place of a failure of the server. */
  readonly errorOf: (failure: Error) => Error;
  /** Once, when all is over. */
  readonly onOver: () => void;
}

/** Whoever iterates has so much before him; then the server is told to wait. */
const AHEAD_BYTES_MAX = 256 * 1024;

/** What was sent is kept for a server that refuses to look at it, up to so much. gRPC's limit for the same. */
const REPLAY_BYTES_MAX = 256 * 1024;

/** What a message costs beside its bytes, so that a flood of empty ones is bounded, too. */
const MESSAGE_COST_BYTES = 64;

export class CallStream implements MessageStream {
  readonly #options: CallStreamOptions;
  #call: Call | undefined;
  /** Sent before there was a call, or to a server that may yet refuse it; undefined: too late, or too much for that. */
  #replay: Uint8Array[] | undefined = [];
  #replayBytes = 0;
  #isEnded = false;
  #senders: (() => void)[] = [];
  #queue: Uint8Array[] = [];
  /** Those before it in the queue are taken. */
  #next = 0;
  #aheadBytes = 0;
  #isPaused = false;
  #readers: (() => void)[] = [];
  #over: { readonly error: unknown } | undefined;

  constructor(options: CallStreamOptions) {
    this.#options = options;
    void this.#open(1);
  }

  async send(message: Uint8Array): Promise<void> {
    const { maxSendBytes } = this.#options;
    if (this.#over !== undefined || this.#isEnded) return;
    if (message.length > maxSendBytes) throw tooLargeToSend(message.length, maxSendBytes);
    const bytes = framed(message);
    this.#remember(bytes);
    if (this.#call?.write(bytes) === true) return;
    await new Promise<void>((resolve) => this.#senders.push(resolve));
  }

  end(): void {
    this.#isEnded = true;
    this.#call?.end();
  }

  cancel(): void {
    this.#abort(undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#take(),
      return: async () => {
        this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  async #take(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const value = this.#queue[this.#next];
      if (value !== undefined) {
        this.#taken(value);
        return { done: false, value };
      }
      if (this.#over !== undefined) {
        if (this.#over.error !== undefined) throw this.#over.error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
  }

  #taken(message: Uint8Array): void {
    this.#next++;
    this.#aheadBytes -= message.length + MESSAGE_COST_BYTES;
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    if (this.#isPaused && this.#aheadBytes <= AHEAD_BYTES_MAX / 2) {
      this.#isPaused = false;
      this.#call?.resume();
    }
  }

  async #open(attempt: number): Promise<void> {
    const { open, patience, retryMs } = this.#options;
    try {
      if (attempt > 1) await patience.pause(retryMs(attempt - 1));
      const call = await open(this.#listenerOf(attempt));
      if (this.#over !== undefined) {
        call.cancel();
        return;
      }
      this.#call = call;
      for (const bytes of this.#replay ?? []) call.write(bytes);
      if (this.#isEnded) call.end();
      patience.whenOver((why) => this.#abort(why));
      wake(this.#senders);
    } catch (why) {
      this.#abort(why);
    }
  }

  #listenerOf(attempt: number): Listener {
    return {
      onHead: () => {
        this.#replay = undefined;
      },
      onDrain: () => wake(this.#senders),
      onMessage: (message) => {
        this.#queue.push(message);
        this.#aheadBytes += message.length + MESSAGE_COST_BYTES;
        if (!this.#isPaused && this.#aheadBytes > AHEAD_BYTES_MAX) {
          this.#isPaused = true;
          this.#call?.pause();
        }
        wake(this.#readers);
      },
      onEnd: (failure, isRefused) => {
        if (isRefused && this.#replay !== undefined && attempt < ATTEMPTS_MAX) {
          this.#call = undefined;
          this.#options.patience.whenOver(undefined);
          void this.#open(attempt + 1);
        } else {
          this.#end(failure === undefined ? undefined : this.#options.errorOf(failure));
        }
      },
    };
  }

  #remember(bytes: Uint8Array): void {
    this.#replay?.push(bytes);
    this.#replayBytes += bytes.length;
    if (this.#call !== undefined && this.#replayBytes > REPLAY_BYTES_MAX) this.#replay = undefined;
  }

  /** What has come and was not taken is of no interest any more. */
  #abort(why: unknown): void {
    if (this.#over !== undefined) return;
    this.#queue = [];
    this.#next = 0;
    this.#call?.cancel();
    this.#end(why);
  }

  #end(error: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = { error };
    this.#replay = undefined;
    const { patience, onOver } = this.#options;
    // Whatever the opening still waits for, nobody wants it any more.
    patience.end(error);
    onOver();
    wake(this.#senders);
    wake(this.#readers);
  }
}

function wake(sleepers: (() => void)[]): void {
  for (const resolve of sleepers.splice(0)) resolve();
}
