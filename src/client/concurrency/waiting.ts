/** Waiting that ends at once when its signal aborts, and leaves the undoing of what was done to go on by itself. */
import { NEVER } from "./base.ts";

export interface Waiting {
  /** For what is done meanwhile; it never aborts once that is done. */
  readonly signal: AbortSignal;
  /** What is done if it comes to nothing. */
  undo(work: () => Promise<void>): void;
}

/** @throws (rejects) the signal's reason; what `work` throws */
export async function untilAborted<T>(
  given: AbortSignal | undefined,
  work: (waiting: Waiting) => Promise<T>,
): Promise<T> {
  const signal = given ?? NEVER;
  signal.throwIfAborted();
  const controller = new AbortController();
  const undoing: (() => Promise<void>)[] = [];
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      controller.abort(signal.reason);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
  const result = work({ signal: controller.signal, undo: (one) => undoing.push(one) });
  // What cannot be undone goes with its lease.
  const undoAll = (): void => {
    for (const undo of undoing) undo().catch(() => undefined);
  };
  // What comes about when nobody waits for it any more is undone, too.
  result.then(() => {
    if (controller.signal.aborted) undoAll();
  }, undoAll);
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
