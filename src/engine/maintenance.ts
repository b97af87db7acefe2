/**
 * Long work of a running member, beside whatever else goes on: hashes, snapshots and checks of one commit, and the page
 * file written anew.
 */
import type { Directory } from "../../native-free/file.ts";
import type { Backend } from "../backend/backend.ts";
import type { Clock } from "../base/clock.ts";
import { StrataError } from "../base/errors.ts";
import { JobPool } from "../jobs/pool.ts";
import type { Progress } from "../jobs/progress.ts";
import { REMOVE } from "../jobs/remove-files.ts";
import { snapshotStatus } from "../jobs/snapshot-status.ts";
import { TRAILER_BYTES } from "../jobs/snapshot-trailer.ts";
import type { Store } from "../mvcc/store.ts";
import { AutoDefragCounts } from "./auto-defrag-counts.ts";
import { DefragCounts } from "./defrag-counts.ts";
import { type DefragOptions, type DefragReport, defragment } from "./defragmentation.ts";
import { Hashes, type KvHash } from "./hashes.ts";
import { type CheckOptions, type CheckReport, IntegrityChecks } from "./integrity-checks.ts";
import type { Jobs } from "./jobs.ts";
import type { EngineLog } from "./log.ts";
import { ScheduledSnapshotCounts } from "./scheduled-snapshot-counts.ts";
import { limitSnapshot, type SnapshotLimit } from "./snapshot-limit.ts";
import { type SavedSnapshot, type Snapshot, Snapshots } from "./snapshots.ts";

export interface MaintenanceParts {
  readonly store: Store;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly jobs: Jobs;
  /** Long work runs on threads, which open the database by its path; else in slices on this one. */
  readonly threads: boolean;
  readonly databasePath: string;
  readonly snapFolder: Directory;
  /** @throws StrataError CLOSED */
  readonly assertOpen: () => void;
}

export interface TakeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** As in Snapshots.take. Default: no. */
  readonly lent?: boolean;
  /** Default: it may be taken as slowly as one likes. */
  readonly limit?: SnapshotLimit | undefined;
}

export class Maintenance {
  readonly hashes: Hashes;
  readonly snapshots: Snapshots;
  readonly integrityChecks: IntegrityChecks;
  readonly defragCounts: DefragCounts = new DefragCounts();
  readonly autoDefragCounts: AutoDefragCounts = new AutoDefragCounts();
  readonly scheduledSnapshotCounts: ScheduledSnapshotCounts = new ScheduledSnapshotCounts();
  readonly #parts: MaintenanceParts;
  /** Also where the store itself is nothing that a thread can read: for snapshots, which always are. */
  readonly #files: JobPool;
  /** Snapshots that are being saved, by their targets. */
  readonly #saving = new Map<string, Promise<void>>();
  /** The one that runs. */
  #defragmentation: Promise<void> | undefined;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    const { store, backend, clock, log } = parts;
    this.#files = new JobPool({ niced: true });
    const jobs = parts.threads ? { pool: this.#files, path: parts.databasePath } : undefined;
    this.hashes = new Hashes({ store, backend, clock, jobs });
    this.snapshots = new Snapshots({ backend, jobs });
    this.integrityChecks = new IntegrityChecks({ backend, log, jobs });
  }

  /** @throws (rejects) as Hashes.hashKv; StrataError CLOSED, also when the store is closed meanwhile; CANCELED */
  async hashKv(revision: number, signal?: AbortSignal): Promise<KvHash> {
    const { jobs, assertOpen } = this.#parts;
    assertOpen();
    return jobs.run("hash-kv", { signal }, (job) =>
      this.hashes.hashKv(revision, job.signal, job.report),
    );
  }

  /** @throws (rejects) as Hashes.hash; StrataError CLOSED, CANCELED */
  async hash(signal?: AbortSignal): Promise<number> {
    const { jobs, assertOpen } = this.#parts;
    assertOpen();
    return jobs.run("hash", { signal }, (job) => this.hashes.hash(job.signal, job.report));
  }

  /** Its bytes, to be taken. @throws (rejects) as Snapshots.take; StrataError CLOSED, CANCELED */
  async snapshot(options: TakeOptions = {}): Promise<Snapshot> {
    const { jobs, assertOpen, clock, log } = this.#parts;
    const { signal, onProgress, lent = false, limit } = options;
    assertOpen();
    signal?.throwIfAborted();
    const job = jobs.begin("snapshot", { signal, onProgress });
    try {
      const snapshot = await this.snapshots.take(job.signal, job.report, lent);
      const { sizeBytes, ended } = snapshot;
      void ended.then(() => {
        if (snapshot.failure !== undefined) job.end("failed", snapshot.failure.message);
        else job.end(snapshot.takenBytes === sizeBytes ? "done" : "cancelled");
      });
      if (limit !== undefined) void limitSnapshot(snapshot, limit, clock, log);
      return snapshot;
    } catch (error) {
      job.end();
      throw error;
    }
  }

  /**
   * To one target one at a time, for it has one name until it is whole: a second one waits for the first.
   * @throws (rejects) as Snapshots.save; StrataError CLOSED, CANCELED
   */
  async saveSnapshot(
    target: string,
    signal?: AbortSignal,
    onProgress?: (progress: Progress) => void,
  ): Promise<SavedSnapshot> {
    const { jobs, assertOpen } = this.#parts;
    while (this.#saving.has(target)) await this.#saving.get(target);
    assertOpen();
    const run = jobs.run("snapshot-save", { about: target, signal, onProgress }, (job) =>
      this.snapshots.save(target, job.signal, job.report),
    );
    const over = (): void => void this.#saving.delete(target);
    this.#saving.set(target, run.then(over, over));
    return run;
  }

  /**
   * Reads a file that `saveSnapshot` has made: its checksum, and every page.
   * @throws (rejects) CorruptionError, StrataError CORRUPT; the system's errors; CLOSED, CANCELED
   */
  async verifySnapshot(path: string, signal?: AbortSignal): Promise<SavedSnapshot> {
    const { jobs, assertOpen } = this.#parts;
    assertOpen();
    const about = { about: `verifies ${path}`, signal };
    return jobs.run("integrity-check", about, async (job) => {
      const options = { signal: job.signal, onProgress: job.report };
      try {
        const { trailer, sizeBytes, revision } = await snapshotStatus(this.#files, path, options);
        if (trailer.kind !== "verified") {
          throw new StrataError("CORRUPT", `${path}: there is no checksum behind it`);
        }
        return { sizeBytes: sizeBytes + TRAILER_BYTES, revision: BigInt(revision) };
      } catch (error) {
        job.signal.throwIfAborted();
        throw error;
      }
    });
  }

  /** Of a folder of ours, without holding up anybody's sync. @throws (rejects) the system's errors */
  async removeFiles(folder: string, names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.#files.run(REMOVE, { folder, names });
  }

  /**
   * Looks at every page of the database as it is at the call, while reads and writes go on.
   * @throws (rejects) as IntegrityChecks.check; StrataError CLOSED, CANCELED
   */
  async check(options: CheckOptions = {}): Promise<CheckReport> {
    const { jobs, assertOpen } = this.#parts;
    assertOpen();
    const { signal, onProgress } = options;
    return jobs.run("integrity-check", { signal, onProgress }, (job) =>
      this.integrityChecks.check(job.signal, job.report),
    );
  }

  /**
   * Rewrites the database file without its free pages. One at a time: a second one waits for the first.
   * @throws (rejects) as Backend.defragment; StrataError CLOSED, CANCELED; the signal's reason
   */
  async defragment(options: DefragOptions = {}): Promise<DefragReport> {
    const { jobs, assertOpen } = this.#parts;
    const { about = "", signal, onProgress } = options;
    while (this.#defragmentation !== undefined) await this.#defragmentation;
    assertOpen();
    const counts = this.defragCounts;
    const run = jobs.run("defragmentation", { about, signal, onProgress }, async (job) => {
      counts.running++;
      try {
        const report = await defragment(this.#parts, counts, options, job);
        counts.ended(report);
        if (report.outcome === "refused") job.end("refused", report.reason);
        return report;
      } finally {
        counts.running--;
      }
    });
    const over = (): void => {
      this.#defragmentation = undefined;
    };
    this.#defragmentation = run.then(over, over);
    return run;
  }

  /** Ends the threads, once the jobs are settled. */
  async close(): Promise<void> {
    await this.#files.close();
  }
}
