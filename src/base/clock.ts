/** Time comes in through here, so that a test can wind it. */
export interface Clock {
  /** Milliseconds, possibly with a fraction. Only differences mean anything; it never goes back. */
  nowMs(): number;
  /**
   * Resolves after `ms`, or early if `signal` aborts (at once if it has); never rejects, so a loop needs one exit only:
   * its look at `signal.aborted`. Zero or less waits for one turn of the event loop.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Node fires a longer timer after 1 ms instead. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * The time since 1970 as it was when the process began, and steady from there: a step of the wall clock must neither
 * expire a lease nor keep it alive.
 */
export const systemClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  async sleep(ms, signal) {
    for (let left = ms; !signal.aborted; left -= TIMER_MS_MAX) {
      await wait(Math.min(left, TIMER_MS_MAX), signal);
      if (left <= TIMER_MS_MAX) return;
    }
  },
};

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
