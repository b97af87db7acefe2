/** What may be done twice is done until the server has answered. */
import { systemClock } from "../../base/clock.ts";
import { systemRandom } from "../../base/random.ts";
import { Backoff } from "../backoff.ts";
import { mayComeBack } from "../comes-back.ts";
import type { ConcurrencyBase } from "./base.ts";

/**
 * @param work  whose effect is the same if it happens twice: nobody knows whether a call that broke was carried out
 * @throws the signal's reason, and what the server says of the call
 */
export async function persist<T>(
  { clock = systemClock }: Pick<ConcurrencyBase, "clock">,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const backoff = new Backoff(clock, systemRandom);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!mayComeBack(error)) throw error;
    }
    await backoff.wait(signal);
  }
}
