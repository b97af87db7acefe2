/**
 * How far a job on another thread has come, and the word to stop: a few shared integers that the worker writes and the
 * caller looks at, so that neither waits for the other and a hot loop pays next to nothing.
 */
import { JobAborted } from "./outcome.ts";

/** What a job reports of itself. */
export interface Progress {
  /** What it is doing now, in a word. */
  readonly phase: string;
  /** Bytes done and to do in this phase; `total` is 0 while it is not known. */
  readonly done: number;
  readonly total: number;
  /** Bytes per second over the phase so far. */
  readonly rate: number;
  /** Milliseconds that the phase will still take at that rate; undefined while it cannot be told. */
  readonly etaMs: number | undefined;
}

const PHASE = 0;
const DONE = 1;
const TOTAL = 2;
const STOP = 3;
const CELLS = 4;

/** Counts travel in units of this, so that 32 bits hold terabytes. */
const UNIT_BYTES = 1024;

/** The shared memory of one job. Plain data: it goes with the job's input. */
export type ProgressCells = SharedArrayBuffer;

export function newProgressCells(): ProgressCells {
  return new SharedArrayBuffer(CELLS * 4);
}

/** The worker's end. */
export class ProgressWriter {
  readonly #cells: Int32Array;

  constructor(cells: ProgressCells = newProgressCells()) {
    this.#cells = new Int32Array(cells);
  }

  /** Begins phase `index` of the job's list of phases. */
  phase(index: number, totalBytes: number): void {
    Atomics.store(this.#cells, DONE, 0);
    Atomics.store(this.#cells, TOTAL, Math.ceil(totalBytes / UNIT_BYTES));
    Atomics.store(this.#cells, PHASE, index);
  }

  /** @throws JobAborted once the caller has asked to stop */
  done(doneBytes: number): void {
    Atomics.store(this.#cells, DONE, Math.floor(doneBytes / UNIT_BYTES));
    if (Atomics.load(this.#cells, STOP) !== 0) throw new JobAborted();
  }

  /** Waits on this thread. @throws JobAborted as soon as the caller asks to stop */
  sleep(ms: number): void {
    if (Atomics.wait(this.#cells, STOP, 0, ms) !== "timed-out") throw new JobAborted();
  }
}

/** The caller's end. */
export class ProgressReader {
  readonly #cells: Int32Array;
  readonly #phases: readonly string[];
  #phase = -1;
  #startedMs = 0;

  constructor(cells: ProgressCells, phases: readonly string[]) {
    this.#cells = new Int32Array(cells);
    this.#phases = phases;
  }

  /** Asks the worker to stop at the next page or so. */
  stop(): void {
    Atomics.store(this.#cells, STOP, 1);
    Atomics.notify(this.#cells, STOP);
  }

  read(nowMs: number): Progress {
    const phase = Atomics.load(this.#cells, PHASE);
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#startedMs = nowMs;
    }
    const done = Atomics.load(this.#cells, DONE) * UNIT_BYTES;
    const total = Atomics.load(this.#cells, TOTAL) * UNIT_BYTES;
    const seconds = (nowMs - this.#startedMs) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
    const left = Math.max(total - done, 0);
    const etaMs = rate > 0 && total > 0 ? (left / rate) * 1000 : undefined;
    return { phase: this.#phases[phase] ?? "", done, total, rate, etaMs };
  }
}
