/** How late the event loop comes to what is due: what one piece of work makes all others wait. */
import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  performance,
} from "node:perf_hooks";
import type { MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

/** Seconds late, since the look before. */
export interface EventLoopLook {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** 0 to 1: how much of the time it was at work. */
  readonly utilization: number;
}

/**
 * How often the loop is looked at. What holds it up for less may come between two looks: one of 15 ms is seen as 12 ms
 * at the median with 10, as 7 with 20 and as 14 with 5. An idle process pays 0.4 % of a core, 0.25 and 0.8.
 */
const RESOLUTION_MS = 10;

export class EventLoopWatch {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  /** What there was since the last time. */
  take(): EventLoopLook {
    const delay = this.#delay;
    const now = performance.eventLoopUtilization();
    const look = {
      mean: late(delay.mean),
      p50: late(delay.percentile(50)),
      p90: late(delay.percentile(90)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
      utilization: performance.eventLoopUtilization(now, this.#utilization).utilization || 0,
    };
    this.#utilization = now;
    delay.reset();
    return look;
  }

  close(): void {
    this.#delay.disable();
  }
}

/** What is measured is from one look to the next. NaN: there was none. */
function late(ns: number): number {
  return Math.max(0, (ns - RESOLUTION_MS * 1e6) / 1e9) || 0;
}

export function addEventLoopMetrics(set: MetricSet<Scrape>): void {
  set.gauge(
    "strata_event_loop_delay_seconds",
    "How late timers came since the last scrape, by quantile.",
    ({ eventLoop }) =>
      QUANTILES.map(([labels, key]): Sample => ({ labels, value: eventLoop[key] })),
    ["quantile"],
  );
  set.gauge(
    "strata_event_loop_utilization_ratio",
    "How much of the time since the last scrape the event loop was at work.",
    ({ eventLoop }) => eventLoop.utilization,
  );
  for (const key of ["mean", "p50", "p90", "p99", "max"] as const) {
    set.gauge(
      `nodejs_eventloop_lag_${key}_seconds`,
      `How late timers came since the last scrape: ${key}.`,
      ({ eventLoop }) => eventLoop[key],
    );
  }
}

const QUANTILES = [
  [{ quantile: "0.5" }, "p50"],
  [{ quantile: "0.9" }, "p90"],
  [{ quantile: "0.99" }, "p99"],
  [{ quantile: "1" }, "max"],
] as const;
