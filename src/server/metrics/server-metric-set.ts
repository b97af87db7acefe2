/** All metrics of a server: under etcd's names what etcd has, under strata_… what it has not. */
import { addAbsentMetrics } from "./absent-metrics.ts";
import { addDiskMetrics } from "./disk-metrics.ts";
import { addEventLoopMetrics, EventLoopWatch } from "./event-loop.ts";
import { addGrpcMetrics, addHandlingTimes } from "./grpc-metrics.ts";
import { addJobMetrics } from "./job-metrics.ts";
import { addLeaseMetrics } from "./lease-metrics.ts";
import { MetricSet } from "./metric-set.ts";
import { addMvccMetrics } from "./mvcc-metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import { type MetricSources, type Scrape, scrape } from "./scrape.ts";
import { addSelfMaintenanceMetrics } from "./self-maintenance-metrics.ts";
import { addServerMetrics } from "./server-metrics.ts";
import { addSnapshotMetrics } from "./snapshot-metrics.ts";

export class ServerMetrics {
  readonly #sources: MetricSources;
  readonly #set = new MetricSet<Scrape>();
  readonly #eventLoop = new EventLoopWatch();

  constructor(sources: MetricSources) {
    this.#sources = sources;
    addServerMetrics(this.#set);
    addMvccMetrics(this.#set);
    addLeaseMetrics(this.#set);
    addDiskMetrics(this.#set);
    addGrpcMetrics(this.#set);
    if (sources.handlingTimes !== undefined) addHandlingTimes(this.#set, sources.handlingTimes);
    addSelfMaintenanceMetrics(this.#set);
    addProcessMetrics(this.#set);
    addAbsentMetrics(this.#set);
    addEventLoopMetrics(this.#set);
    addJobMetrics(this.#set);
    addSnapshotMetrics(this.#set);
  }

  get contentType(): string {
    return this.#set.registry.contentType;
  }

  /** Of this moment, as text. */
  async text(): Promise<string> {
    return this.#set.text(await scrape(this.#sources, () => this.#eventLoop.take()));
  }

  /** Ends what it looks at by itself. */
  close(): void {
    this.#eventLoop.close();
  }
}
