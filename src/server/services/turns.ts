/**
 * Long answers, a step at a time and in turns, so that neither the event loop nor a short answer waits for them: all of
 * them together have a budget for each turn of the loop.
 */
import type { Call } from "../../grpc/service.ts";

/** Milliseconds of one turn of the event loop. */
const BUDGET_MS = 2;

interface Task {
  readonly call: Call;
  readonly steps: Iterator<undefined, void>;
}

export class Turns {
  readonly #budgetMs: number;
  /** The first one does its step, and goes to the end. */
  readonly #queue: Task[] = [];
  #leftMs: number;
  #scheduled = false;

  constructor(budgetMs: number = BUDGET_MS) {
    this.#budgetMs = budgetMs;
    this.#leftMs = budgetMs;
  }

  /** Those that wait for their turn. */
  get size(): number {
    return this.#queue.length;
  }

  /**
   * Begins at once, if this turn has something left.
   * @param steps  are dropped when the call has ended; what they throw, it fails with
   */
  run(call: Call, steps: Iterator<undefined, void>): void {
    this.#queue.push({ call, steps });
    if (this.#leftMs > 0 && this.#queue.length === 1) this.#work();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#leftMs = this.#budgetMs;
      if (this.#queue.length === 0) return;
      this.#work();
      this.#schedule();
    });
  }

  #work(): void {
    let nowMs = performance.now();
    const endMs = nowMs + this.#leftMs;
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      if (!isOver(task)) this.#queue.push(task);
      nowMs = performance.now();
      if (nowMs >= endMs) break;
    }
    this.#leftMs = endMs - nowMs;
  }
}

function isOver({ call, steps }: Task): boolean {
  if (call.ended) return true;
  try {
    return steps.next().done === true;
  } catch (error) {
    call.failWith(error);
    return true;
  }
}
