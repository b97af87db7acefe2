/** A watch as an AsyncIterable, for a consumer in the same process. */
import type { WatchBatch } from "./watch-event.ts";
import type { SingleWatch, WatchHub } from "./watch-hub.ts";
import type { WatchLimits } from "./watch-stream.ts";
import type { WatchOptions } from "./watcher.ts";

/**
 * Begins a watch at once, not at the first `next()`, so that nothing between the two is missed. Batches are held back
 * until they are asked for, within `limits`. It ends after a compacted or failed batch, when `signal` aborts (what is
 * not taken by then is dropped), when the hub is closed, and when the consumer breaks out; whoever never iterates has to abort.
 * @throws StrataError BAD_ARGUMENT
 */
export function watchEvents(
  hub: WatchHub,
  options: WatchOptions,
  signal: AbortSignal,
  limits?: WatchLimits,
): AsyncIterableIterator<WatchBatch> {
  return new WatchIterator(hub, options, signal, limits);
}

type Result = IteratorResult<WatchBatch, undefined>;

const DONE: Result = { done: true, value: undefined };

class WatchIterator implements AsyncIterableIterator<WatchBatch> {
  readonly #watch: SingleWatch;
  readonly #signal: AbortSignal;
  /** Who waits for the next batch, in order. */
  #asking: ((result: Result) => void)[] = [];
  #over = false;

  constructor(
    hub: WatchHub,
    options: WatchOptions,
    signal: AbortSignal,
    limits: WatchLimits | undefined,
  ) {
    this.#signal = signal;
    this.#watch = hub.watch(options, () => this.#answer(), limits);
    if (signal.aborted) this.#end();
    else signal.addEventListener("abort", this.#end);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    return new Promise((resolve) => {
      this.#asking.push(resolve);
      this.#answer();
    });
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(DONE);
  }

  #answer(): void {
    if (this.#watch.watcher.stream.closed) this.#end();
    while (this.#asking.length > 0) {
      const batch = this.#over ? undefined : this.#watch.take();
      if (batch === undefined && !this.#over) return;
      this.#asking.shift()?.(batch === undefined ? DONE : { done: false, value: batch });
      if (batch?.kind === "compacted" || batch?.kind === "failed") this.#end();
    }
  }

  readonly #end = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#signal.removeEventListener("abort", this.#end);
    this.#watch.cancel();
    this.#answer();
  };
}
