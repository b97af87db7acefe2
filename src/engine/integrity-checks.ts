/**
 * The integrity check of a store that is written meanwhile: of one commit, which is kept readable until it is done.
 * What bbolt's check would say of a snapshot of that moment, without one being taken.
 *
 * Pages are read and judged on a thread that stands back for all others, or in slices where no other thread can read
 * the file.
 */
import { SystemFile } from "../../native-free/file.ts";
import type { Backend } from "../backend/backend.ts";
import type { Pin } from "../backend/pins.ts";
import { CHECK_PINNED, type PinnedCheck } from "../jobs/check-pinned.ts";
import { checkInSlices } from "../jobs/check-pinned-work.ts";
import type { JobPool } from "../jobs/pool.ts";
import {
  newProgressCells,
  type Progress,
  ProgressReader,
  ProgressWriter,
} from "../jobs/progress.ts";
import type { Fault } from "../pagefile/check.ts";
import type { EngineLog } from "./log.ts";

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
  /** About ten times a second, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface CheckReport {
  /** There is no fault. */
  readonly ok: boolean;
  /** The first of them: 100 at most. */
  readonly faults: readonly Fault[];
  /** All of them. */
  readonly faultCount: number;
  /** Of all buckets: every revision of a key is one, and so is every row of the member's own. */
  readonly keys: number;
  /** In use by the commit that was checked. */
  readonly pages: number;
  readonly pagesFree: number;
  /** What was checked: pages in use and free. */
  readonly sizeBytes: number;
  readonly tookMs: number;
}

export interface IntegrityChecksParts {
  readonly backend: Backend;
  readonly log: EngineLog;
  /** Undefined: the file cannot be read by another thread. */
  readonly jobs: { readonly pool: JobPool; readonly path: string } | undefined;
}

const FAULTS_SHOWN = 100;

const REPORT_MS = 100;

export class IntegrityChecks {
  /** Those that came to an end, and those of them that found something. */
  done = 0;
  faulty = 0;
  readonly #parts: IntegrityChecksParts;

  constructor(parts: IntegrityChecksParts) {
    this.#parts = parts;
  }

  /**
   * Of what was applied before the call. Faults are not thrown: they are the result, and an error in the log.
   * @throws (rejects) StrataError FAILED; the signal's reason; the system's errors
   */
  async check(signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<CheckReport> {
    const { backend, log } = this.#parts;
    const beganMs = performance.now();
    await backend.commit();
    signal.throwIfAborted();
    const pin = backend.pin("integrity-check");
    let found: PinnedCheck;
    try {
      found = await this.#check(pin, signal, onProgress);
    } finally {
      pin.release();
    }
    const { faults, faultCount, keys, pagesInUse, pagesFree } = found;
    const { meta } = pin.root;
    const tookMs = Math.round(performance.now() - beganMs);
    const ok = faultCount === 0;
    const sizeBytes = meta.pgid * meta.pageBytes;
    this.done++;
    if (!ok) this.faulty++;
    log({
      level: ok ? "info" : "error",
      message: ok ? "the database is sound" : "the database has faults",
      fields: {
        ...(!ok && { faults: faultCount, first: faults[0]?.what ?? "" }),
        keys,
        pages: pagesInUse,
        sizeBytes,
        tookMs,
      },
    });
    return {
      ok,
      faults: faults.slice(0, FAULTS_SHOWN),
      faultCount,
      keys,
      pages: pagesInUse,
      pagesFree,
      sizeBytes,
      tookMs,
    };
  }

  async #check(
    pin: Pin,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<PinnedCheck> {
    const { backend, jobs } = this.#parts;
    const { meta } = pin.root;
    if (jobs === undefined) {
      const cells = newProgressCells();
      const reader = new ProgressReader(cells, CHECK_PINNED.phases);
      const report = (): void => onProgress(reader.read(performance.now()));
      const timer = setInterval(report, REPORT_MS);
      const tx = backend.viewAt(pin);
      try {
        const source = tx.walkSource();
        const found = await checkInSlices(source, meta, signal, new ProgressWriter(cells));
        report();
        return found;
      } finally {
        clearInterval(timer);
        tx.close();
      }
    }
    const { path, pool } = jobs;
    // Right behind the pin: a defragmentation may put another file in its place.
    const file = new SystemFile(path, "read");
    try {
      const input = { path, fd: file.fd, meta };
      return await pool.run(CHECK_PINNED, input, { signal, onProgress });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      file.close();
    }
  }
}
