/** How long somebody waits: until the deadline, the signal, or the end of the client, whichever is first. */
import { deadlineExceeded } from "../status.ts";
import { onAbort } from "./abort-signal.ts";

/** Node fires a longer timer after 1 ms instead. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface PatienceOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What there was to wait for, told as the cause when the time is over. */
  readonly causeOf?: () => unknown;
}

export class Patience {
  readonly #causeOf: () => unknown;
  readonly #deadlineMs: number;
  #forgetSignal: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over: { readonly why: unknown } | undefined;
  #stop: ((why: unknown) => void) | undefined;

  constructor({ timeoutMs, signal, causeOf = () => undefined }: PatienceOptions) {
    this.#causeOf = causeOf;
    this.#deadlineMs =
      timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (signal?.aborted === true) this.#over = { why: signal.reason };
    else if (timeoutMs !== undefined && !(timeoutMs > 0)) this.#over = { why: deadlineExceeded() };
    else {
      if (signal !== undefined) this.#forgetSignal = onAbort(signal, () => this.end(signal.reason));
      this.#setTimer();
    }
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Infinite without a deadline. */
  get leftMs(): number {
    return this.#deadlineMs - performance.now();
  }

  /** @throws why it is over, if it is */
  throwIfOver(): void {
    if (this.#over !== undefined) throw this.#over.why;
  }

  /** What is done when it is over, at once if it is: of the one thing that is waited for now. */
  whenOver(stop: ((why: unknown) => void) | undefined): void {
    if (this.#over !== undefined) stop?.(this.#over.why);
    else this.#stop = stop;
  }

  /** @throws (rejects) what ends it meanwhile */
  pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.whenOver(undefined);
        resolve();
      }, ms);
      this.whenOver((why) => {
        clearTimeout(timer);
        reject(why);
      });
    });
  }

  /** No more of it, for this reason; what was before counts if there was one. */
  end(why: unknown): void {
    if (this.#over !== undefined) return;
    this.release();
    this.#over = { why };
    const stop = this.#stop;
    this.#stop = undefined;
    stop?.(why);
  }

  /** It is not needed any more: nothing of it may hold the process, or hang on the signal. */
  release(): void {
    clearTimeout(this.#timer);
    this.#forgetSignal?.();
  }

  #setTimer(): void {
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        if (this.leftMs > 0) this.#setTimer();
        else this.end(deadlineExceeded({ cause: this.#causeOf() }));
      },
      Math.min(Math.ceil(this.leftMs), TIMER_MS_MAX),
    );
  }
}
