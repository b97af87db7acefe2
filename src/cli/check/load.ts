/** Puts from many clients at once: so many a second, or so many in all. */
import { type Clock, systemClock } from "../../base/clock.ts";

/** How one put went. */
export type Put = () => Promise<unknown>;

export interface LoadStats {
  /** Done well, a second, from the beginning of the load to the last answer. */
  readonly perSecond: number;
  /** Of those that went well; 0 without any. */
  readonly slowestMs: number;
  readonly deviationMs: number;
  /** How often each was said. */
  readonly errors: ReadonlyMap<string, number>;
}

/** What is measured, put by put. */
export class LoadReport {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #latenciesMs: number[] = [];
  readonly #errors = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
  }

  /** Never rejects. */
  async measure(put: Put): Promise<void> {
    const startMs = this.#clock.nowMs();
    try {
      await put();
      this.#latenciesMs.push(this.#clock.nowMs() - startMs);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#errors.set(text, (this.#errors.get(text) ?? 0) + 1);
    }
  }

  stats(): LoadStats {
    const latencies = this.#latenciesMs;
    const seconds = (this.#clock.nowMs() - this.#startMs) / 1000;
    const mean = latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length;
    const squares = latencies.reduce((sum, ms) => sum + (ms - mean) ** 2, 0);
    return {
      perSecond: latencies.length / seconds,
      slowestMs: latencies.reduce((most, ms) => Math.max(most, ms), 0),
      deviationMs: Math.sqrt(squares / Math.max(1, latencies.length)),
      errors: this.#errors,
    };
  }
}

/** The end of a load that was asked to stop is its own: what is under way is waited for. */
export interface LoadOptions {
  /** Puts under way at a time. */
  readonly clients: number;
  readonly put: Put;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

/**
 * At a steady rate. When all clients are busy, as many puts wait for one; what is due beyond that is given up, so that
 * a server that is too slow is not asked for more and more.
 */
export async function pacedLoad(
  perSecond: number,
  durationMs: number,
  { clients, put, signal, clock = systemClock }: LoadOptions,
): Promise<LoadStats> {
  const report = new LoadReport(clock);
  const running = new Set<Promise<void>>();
  let waiting = 0;
  const start = (): void => {
    const one = report.measure(put).finally(() => {
      running.delete(one);
      if (waiting === 0) return;
      waiting--;
      start();
    });
    running.add(one);
  };
  const startMs = clock.nowMs();
  const total = Math.floor((perSecond * durationMs) / 1000);
  for (let due = 0; due < total && !signal.aborted; ) {
    const now = Math.min(total, Math.floor(((clock.nowMs() - startMs) * perSecond) / 1000) + 1);
    for (; due < now; due++) {
      if (running.size < clients) start();
      else if (waiting < clients) waiting++;
    }
    await clock.sleep((due * 1000) / perSecond - (clock.nowMs() - startMs), signal);
  }
  if (signal.aborted) waiting = 0;
  while (running.size > 0) await Promise.all(running);
  return report.stats();
}

/** As fast as it goes. @param onDone  after each */
export async function countedLoad(
  count: number,
  { clients, put, signal, clock = systemClock }: LoadOptions,
  onDone: (done: number) => void,
): Promise<LoadStats> {
  const report = new LoadReport(clock);
  let begun = 0;
  let done = 0;
  const client = async (): Promise<void> => {
    while (begun < count && !signal.aborted) {
      begun++;
      await report.measure(put);
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return report.stats();
}
