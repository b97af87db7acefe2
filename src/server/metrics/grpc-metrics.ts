/**
 * Of calls, by method, as the interceptor by which etcd counts names them: every method and every code is there from
 * the start, with 0.
 *
 * @see https://github.com/grpc-ecosystem/go-grpc-middleware providers/prometheus
 */
import type { MethodCounts } from "../../grpc/call-counts.ts";
import { Code, codeName } from "../../grpc/status.ts";
import type { HandlingTimes } from "./handling-times.ts";
import type { Labels, MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

const LABELS = ["grpc_type", "grpc_service", "grpc_method"];

/** By name, as Prometheus orders them. */
const CODES = Object.values(Code)
  .map((code) => ({ code, name: codeName(code) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

export function addGrpcMetrics(set: MetricSet<Scrape>): void {
  set.counter(
    "grpc_server_started_total",
    "Calls begun.",
    ({ calls }) => perMethod(calls.methods, ({ started }) => started),
    LABELS,
  );
  set.counter(
    "grpc_server_msg_received_total",
    "Messages received in calls.",
    ({ calls }) => perMethod(calls.methods, ({ messagesReceived }) => messagesReceived),
    LABELS,
  );
  set.counter(
    "grpc_server_msg_sent_total",
    "Messages sent in calls.",
    ({ calls }) => perMethod(calls.methods, ({ messagesSent }) => messagesSent),
    LABELS,
  );
  set.counter(
    "grpc_server_handled_total",
    "Calls ended, by how they ended.",
    ({ calls }) => calls.methods.flatMap(handledSamples),
    [...LABELS, "grpc_code"],
  );
  set.counter(
    "etcd_network_client_grpc_received_bytes_total",
    "Bytes of messages from clients.",
    ({ calls }) => calls.receivedBytes,
  );
  set.counter(
    "etcd_network_client_grpc_sent_bytes_total",
    "Bytes of messages to clients.",
    ({ calls }) => calls.sentBytes,
  );
  set.counter(
    "etcd_server_client_requests_total",
    "Calls by what clients say of their version.",
    ({ calls }) =>
      calls.clients.map(({ type, clientApiVersion, requests }) => ({
        labels: { client_api_version: clientApiVersion, type },
        value: requests,
      })),
    ["type", "client_api_version"],
  );
}

export function addHandlingTimes(set: MetricSet<Scrape>, times: HandlingTimes): void {
  set.histogram(
    "grpc_server_handling_seconds",
    "How long calls took until they were answered, or had failed.",
    ({ calls }) => times.samples(calls),
    LABELS,
  );
}

function perMethod(
  methods: readonly MethodCounts[],
  count: (method: MethodCounts) => number,
): Sample[] {
  return methods.map((each) => ({ labels: labelsOf(each), value: count(each) }));
}

function handledSamples(counts: MethodCounts): Sample[] {
  const { byCode } = allLabelsOf(counts);
  return CODES.map(({ code }, i) => ({
    labels: byCode[i] as Labels,
    value: counts.handled[code] ?? 0,
  }));
}

interface MethodLabels {
  readonly itself: Labels;
  /** In the order of `CODES`. */
  readonly byCode: readonly Labels[];
}

const known = new WeakMap<MethodCounts, MethodLabels>();

function allLabelsOf(counts: MethodCounts): MethodLabels {
  let labels = known.get(counts);
  if (labels === undefined) {
    const { method, service, type } = counts;
    const itself = { grpc_method: method, grpc_service: service, grpc_type: type };
    labels = { itself, byCode: CODES.map(({ name }) => ({ grpc_code: name, ...itself })) };
    known.set(counts, labels);
  }
  return labels;
}

/** The same object each time. */
export function labelsOf(counts: MethodCounts): Labels {
  return allLabelsOf(counts).itself;
}
