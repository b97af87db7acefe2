/**
 * Snapshots: a `.snap` file says who the members are at an index of the log, and that the page file has everything up
 * to there. Then the log before it can go.
 *
 * In this order, so that a crash leaves no gap: the page file has committed the index twice over (so that also the root
 * before the last one does not need the log before it), the file, its record in the log, old segments and files.
 */
import type { Directory } from "../../native-free/file.ts";
import type { Backend, LogPoint } from "../backend/backend.ts";
import { DISK_SECONDS, Histogram } from "../base/histogram.ts";
import type { KeptFiles, Upkeep } from "../jobs/upkeep.ts";
import type { Cluster } from "../membership/cluster.ts";
import { encodeV2Store } from "../membership/v2-store.ts";
import type { Wal } from "../wal/wal.ts";
import type { EngineLog } from "./log.ts";

export interface SnapshotterParts {
  readonly backend: Backend;
  readonly cluster: Cluster;
  readonly wal: Wal;
  readonly snapFolder: Directory;
  readonly walFolder: Directory;
  /** Where files are written and removed: not on this thread, if it can be helped. */
  readonly upkeep: Upkeep;
  readonly kept: KeptFiles;
  readonly log: EngineLog;
  failed(error: unknown): void;
}

/** A log of large entries is cut back by its size as well. */
const LOG_BYTES_MAX = 128 * 1024 * 1024;

export class Snapshotter {
  /** Of writing `.snap` files, on whatever thread, the way there and back included. Seconds. */
  readonly saveSeconds: Histogram = new Histogram(DISK_SECONDS);
  readonly #parts: SnapshotterParts;
  readonly #everyEntries: number;
  #lastIndex: number;
  #lastBytes = 0;
  #running: Promise<void> | undefined;

  /** @param lastIndex  of the last snapshot, 0 if there is none */
  constructor(parts: SnapshotterParts, everyEntries: number, lastIndex: number) {
    this.#parts = parts;
    this.#everyEntries = everyEntries;
    this.#lastIndex = lastIndex;
  }

  /** Called after each commit: takes a snapshot when it is time. */
  committed(): void {
    const { backend, wal } = this.#parts;
    const point = backend.safePoint;
    if (this.#running !== undefined || point.index <= this.#lastIndex) return;
    const isDue =
      point.index - this.#lastIndex >= this.#everyEntries ||
      wal.counts.bytes - this.#lastBytes >= LOG_BYTES_MAX;
    if (!isDue) return;
    this.#running = this.#take(point)
      .catch((error: unknown) => this.#parts.failed(error))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Resolves when none is being taken. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #take({ index, term }: LogPoint): Promise<void> {
    const { cluster, wal, snapFolder, walFolder, upkeep, kept, log } = this.#parts;
    this.#lastBytes = wal.counts.bytes;
    const confState = cluster.confState();
    // Changes of members between that index and now are applied again by whoever starts here, to no effect.
    const data = encodeV2Store(cluster);
    const beganMs = performance.now();
    await upkeep.writeSnap(snapFolder, { index, term, confState, data });
    this.saveSeconds.observe((performance.now() - beganMs) / 1000);
    await wal.saveSnapshot({ index, term, confState });
    this.#lastIndex = index;
    await upkeep.release(walFolder, snapFolder, index, kept);
    log({ level: "info", message: "saved snapshot", fields: { index, term } });
  }
}
