/** Of the process, of Node, and of who asks. Names are those of Prometheus' own clients for Go and for Node. */
import type { MetricSet, Sample } from "./metric-set.ts";
import type { Scrape } from "./scrape.ts";

export function addProcessMetrics(set: MetricSet<Scrape>): void {
  addSystem(set);
  addNode(set);
  addScrapes(set);
}

function addSystem(set: MetricSet<Scrape>): void {
  set.counter(
    "process_cpu_seconds_total",
    "CPU time, in user and system mode.",
    (from) => from.process.cpuSeconds,
  );
  set.gauge(
    "process_resident_memory_bytes",
    "Memory that is resident.",
    (from) => from.process.residentBytes,
  );
  set.gauge(
    "process_virtual_memory_bytes",
    "Address space that is used.",
    (from) => from.process.virtualBytes,
  );
  set.gauge("process_virtual_memory_max_bytes", "Address space that may be used.", (from) =>
    Math.min(from.process.virtualBytesMax, 2 ** 64),
  );
  set.gauge(
    "process_start_time_seconds",
    "When the process began, in seconds since 1970.",
    (from) => from.process.startSeconds,
  );
  for (const name of ["process_open_fds", "os_fd_used"]) {
    set.gauge(name, "Open files and sockets.", (from) => from.process.openFds);
  }
  for (const name of ["process_max_fds", "os_fd_limit"]) {
    set.gauge(name, "Files and sockets that may be open.", (from) => from.process.maxFds);
  }
}

function addNode(set: MetricSet<Scrape>): void {
  const heap = (name: string, help: string, key: keyof NodeJS.MemoryUsage): void =>
    set.gauge(name, help, () => process.memoryUsage()[key]);
  heap("nodejs_heap_size_used_bytes", "The heap without what is free in it.", "heapUsed");
  heap("nodejs_heap_size_total_bytes", "The heap.", "heapTotal");
  heap("nodejs_external_memory_bytes", "Memory outside the heap that objects hold.", "external");
  set.gauge(
    "nodejs_version_info",
    "1, with the version of Node.",
    () => [{ labels: { version: process.version }, value: 1 }],
    ["version"],
  );
}

/** Prometheus asks for what it has asked for before, too. */
function addScrapes(set: MetricSet<Scrape>): void {
  set.counter(
    "promhttp_metric_handler_requests_total",
    "Answers to requests for metrics, by HTTP status.",
    ({ http }) => [...http.scrapes].map(([code, value]): Sample => ({ labels: { code }, value })),
    ["code"],
  );
  set.gauge(
    "promhttp_metric_handler_requests_in_flight",
    "Requests for metrics that are being answered.",
    ({ http }) => http.scrapesUnderWay,
  );
}
