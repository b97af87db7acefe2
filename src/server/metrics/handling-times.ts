/**
 * How long calls took, by method: with --metrics=extensive only, since it wants a look at the clock for each. Give
 * `ended` to the gRPC server as its `onCallEnd`.
 */
import { Histogram } from "../../base/histogram.ts";
import type { CallCounts, MethodCounts } from "../../grpc/call-counts.ts";
import type { EndedCall } from "../../grpc/server-call.ts";
import { labelsOf } from "./grpc-metrics.ts";
import type { HistogramSample } from "./metric-set.ts";

/** Prometheus' own, when nobody says otherwise. Seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class HandlingTimes {
  readonly #byMethod = new Map<MethodCounts, Histogram>();

  /** On the clock of `performance.now()`. */
  readonly ended = ({ counts, startedMs }: Pick<EndedCall, "counts" | "startedMs">): void => {
    let histogram = this.#byMethod.get(counts);
    if (histogram === undefined) {
      histogram = new Histogram(BOUNDS);
      this.#byMethod.set(counts, histogram);
    }
    histogram.observe((performance.now() - startedMs) / 1000);
  };

  /** Of every method, with none where it was not called yet. */
  samples({ methods }: CallCounts): HistogramSample[] {
    return methods.map((each) => ({
      labels: labelsOf(each),
      histogram: this.#byMethod.get(each) ?? NONE,
    }));
  }
}

const NONE = new Histogram(BOUNDS);
