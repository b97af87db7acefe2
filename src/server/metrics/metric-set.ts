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

/**
 * In the order in which they are to be shown: Prometheus' own is that of their names. Their text is made once for each
 * object, so where there are hundreds let the same one come again.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  readonly histogram: Histogram;
}

/** How values come from what one scrape has found, `C`. */
export type Read<C> = (from: C) => number | readonly Sample[];

interface Shown {
  readonly metricName?: string;
  /** None: prom-client keeps the text of those below. */
  readonly labels: typeof NO_LABELS;
  readonly sharedLabels: Labels;
  readonly value: number;
}

/** How long text is made before others have their turn. */
const SLICE_MS = 1;

const NO_LABELS = {};

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
    const none = {};
    const shown = (): Shown[] => {
      const found = this.#from === undefined ? [] : read(this.#from);
      const all = Array.isArray(found) ? found : [{ labels: none, histogram: found as Histogram }];
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
    if (typeof found === "number") return [shownOf(NO_LABELS, found)];
    return found.map(({ labels, value }) => shownOf(labels, value));
  }
}

function withValues<T extends { values: unknown[] }>(metric: T, values: T["values"]): T {
  return { ...metric, values };
}

function shownOf(sharedLabels: Labels, value: number, metricName?: string): Shown {
  return {
    labels: NO_LABELS,
    sharedLabels,
    value,
    ...(metricName !== undefined && { metricName }),
  };
}

function bucketsOf(name: string, { labels, histogram }: HistogramSample): Shown[] {
  const { counts, sum } = histogram;
  const shown: Shown[] = [];
  let count = 0;
  bucketLabels(labels, histogram.bounds).forEach((each, i) => {
    count += counts[i] as number;
    shown.push(shownOf(each, count, `${name}_bucket`));
  });
  shown.push(shownOf(labels, sum, `${name}_sum`));
  shown.push(shownOf(labels, count, `${name}_count`));
  return shown;
}

const knownBucketLabels = new WeakMap<Labels, readonly Labels[]>();

/** With the bound of each bucket. Made once for each object with labels, which belongs to one histogram. */
function bucketLabels(labels: Labels, bounds: Float64Array): readonly Labels[] {
  let known = knownBucketLabels.get(labels);
  if (known === undefined) {
    const texts = [...Array.from(bounds, goFloat), "+Inf"];
    known = texts.map((le) => ({ ...labels, le }));
    knownBucketLabels.set(labels, known);
  }
  return known;
}

/** A number as Go writes it with %g, by which series of other servers are named: `0.001`, `1.048576e+06`. */
export function goFloat(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (!Number.isFinite(value) || (exponent >= -4 && exponent < 6)) return String(value);
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const size = power.slice(1).padStart(2, "0");
  return `${digits}e${power.startsWith("-") ? "-" : "+"}${size}`;
}
