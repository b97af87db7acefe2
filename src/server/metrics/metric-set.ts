/**
 * Metrics whose values are read when somebody asks, from numbers that others count: nothing is kept twice, and nothing
 * is paid while nobody asks. On prom-client, whose metrics are told here where their values come from.
 */
import {
  Counter,
  Gauge,
  Histogram as PromHistogram,
  Registry,
  type RegistryContentType,
} from "prom-client";
import type { Histogram } from "../../base/histogram.ts";
import { nextTurn } from "../../base/turn.ts";

export interface Sample {
  /** In the order in which they are to be shown: Prometheus' own is that of their names. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly histogram: Histogram;
}

/** How values come from what one scrape has found, `C`. */
export type Read<C> = (from: C) => number | readonly Sample[];

interface Shown {
  readonly metricName?: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** How long text is made before others have their turn. */
const SLICE_MS = 1;

export class MetricSet<C> {
  readonly registry: Registry<RegistryContentType> = new Registry();
  #from: C | undefined;

  gauge(name: string, help: string, read: Read<C>, labelNames: readonly string[] = []): void {
    const shown = (): Shown[] => this.#read(read);
    new (class extends Gauge {
      override async get() {
        return withValues(await super.get(), shown());
      }
    })({ name, help, labelNames, registers: [this.registry] });
  }

  counter(name: string, help: string, read: Read<C>, labelNames: readonly string[] = []): void {
    const shown = (): Shown[] => this.#read(read);
    new (class extends Counter {
      override async get() {
        return withValues(await super.get(), shown());
      }
    })({ name, help, labelNames, registers: [this.registry] });
  }

  histogram(
    name: string,
    help: string,
    read: (from: C) => Histogram | readonly HistogramSample[],
    labelNames: readonly string[] = [],
  ): void {
    const shown = (): Shown[] => {
      const found = this.#from === undefined ? [] : read(this.#from);
      const all = Array.isArray(found) ? found : [{ labels: {}, histogram: found as Histogram }];
      return (all as readonly HistogramSample[]).flatMap((each) => bucketsOf(name, each));
    };
    new (class extends PromHistogram {
      /** What prom-client asks for first; `get` comes by here, too. */
      async getForPromString(): Promise<object> {
        return { name, help, type: "histogram", values: shown(), aggregator: "sum" };
      }
    })({ name, help, labelNames, registers: [this.registry] });
  }

  /** All of it as text, by name. Made in slices, between which others have their turn. */
  async text(from: C): Promise<string> {
    const names = this.registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .sort();
    const parts: string[] = [];
    let endMs = performance.now() + SLICE_MS;
    for (const name of names) {
      // Another scrape may have come in between.
      this.#from = from;
      parts.push(await this.registry.getSingleMetricAsString(name));
      if (performance.now() < endMs) continue;
      await nextTurn();
      endMs = performance.now() + SLICE_MS;
    }
    return `${parts.join("\n")}\n`;
  }

  #read(read: Read<C>): Shown[] {
    if (this.#from === undefined) return [];
    const found = read(this.#from);
    if (typeof found === "number") return [{ labels: {}, value: found }];
    return found as Shown[];
  }
}

function withValues<T extends { values: unknown[] }>(metric: T, values: T["values"]): T {
  return { ...metric, values };
}

function bucketsOf(name: string, { labels, histogram }: HistogramSample): Shown[] {
  const { bounds, counts, sum } = histogram;
  const shown: Shown[] = [];
  let count = 0;
  for (let i = 0; i < bounds.length; i++) {
    count += counts[i] as number;
    const le = goFloat(bounds[i] as number);
    shown.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
  }
  count += counts[bounds.length] as number;
  shown.push({ metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count });
  shown.push({ metricName: `${name}_sum`, labels, value: sum });
  shown.push({ metricName: `${name}_count`, labels, value: count });
  return shown;
}

/** A number as Go writes it with %g, by which series of other servers are named: `0.001`, `1.048576e+06`. */
export function goFloat(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (!Number.isFinite(value) || (exponent >= -4 && exponent < 6)) return String(value);
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const size = power.slice(1).padStart(2, "0");
  return `${digits}e${power.startsWith("-") ? "-" : "+"}${size}`;
}
